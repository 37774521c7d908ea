/*
 * finite.h
 *		Are all of these numbers finite?
 */
#ifndef EX_FINITE_H
#define EX_FINITE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/*
 * Neither NaN nor infinite: their exponents are all ones, to which one added
 * carries into the sign.  By integers, as compilers vectorise no comparison of
 * doubles that might trap.
 */
static inline bool
ex_all_finite(const double *value, size_t n)
{
	uint64_t	carried = 0;

	for (size_t i = 0; i < n; i++)
	{
		uint64_t	bits;

		memcpy(&bits, &value[i], sizeof(bits));
		carried |= (bits & UINT64_C(0x7ff0000000000000)) + UINT64_C(0x0010000000000000);
	}
	return carried >> 63 == 0;
}

#endif							/* EX_FINITE_H */
