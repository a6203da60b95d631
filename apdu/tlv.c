#include "apdu/tlv.h"
