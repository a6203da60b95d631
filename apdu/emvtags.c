#include "apdu/emvtags.h"
