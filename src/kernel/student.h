/*
 * student.h
 *		The 97.5 % quantile of Student's t distribution: half the width of a
 *		95 % interval, in standard errors.
 */
#ifndef EX_STUDENT_H
#define EX_STUDENT_H

/*
 * For `df` degrees of freedom, whole or not.  Within 3e-6; below 13 a df that is
 * not whole is taken down to the next that is, which makes intervals wider.
 * Infinite for df < 1.
 */
extern double ex_student_975(double df);

#endif							/* EX_STUDENT_H */
