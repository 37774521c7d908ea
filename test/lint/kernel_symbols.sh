#!/bin/sh
# The kernels are plain C: linked together, they may ask for nothing but these
# functions of libc and libm (and the compiler's own helpers).  Neither memory
# nor input and output is among them, and no symbol of the server.

set -eu
cd "$BUILD"
allowed='
	memchr memcmp memcpy memmove memset stpcpy strchr strcmp strcspn strlen
	strncmp strnlen strspn
	abort bsearch qsort snprintf strtod strtof vsnprintf
	ceil cos cosh erf erfc exp exp2 expm1 expm1f fabs floor fmax fmaxf fmin
	fminf fmod frexp ldexp lgamma log log1p log2 logf modf nextafter nextafterf
	pow rint round scalbn sin sinh sqrt tanh tgamma trunc
	__stack_chk_fail _GLOBAL_OFFSET_TABLE_ __cpu_model __cpu_indicator_init
	__popcountdi2'
# what _FORTIFY_SOURCE and the C99 dialect make of some of them
forms='s/^__\(.*\)_chk$/\1/; s/^__isoc[0-9]*_//'

ld -r -o kernels.o $(find src/kernel -name '*.o')
nm --undefined-only kernels.o | sed 's/^ *U *//' | sed "$forms" | sort -u >kernels.undefined
printf '%s\n' $allowed | sort -u >kernels.allowed
foreign=$(comm -23 kernels.undefined kernels.allowed)
if [ -z "$foreign" ]; then
	echo "ok 1 - no kernel needs a server"
else
	echo "not ok 1 - no kernel needs a server"
	nm -A --undefined-only $(find src/kernel -name '*.o') | grep -Fw "$foreign" | sed 's/^/# /'
fi
echo 1..1
