#include "apdu/sw.h"
