#include "apdu/apdu.h"
