#include "apdu/dol.h"
