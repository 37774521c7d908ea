/*
 * sha256.h
 *		Portable SHA-256 (FIPS 180-4) for programs whose host offers none.
 *
 * The server's host uses PostgreSQL's own pg_cryptohash instead.
 */
#ifndef EX_SHA256_H
#define EX_SHA256_H

#include "host.h"

extern void ex_sha256_portable(const ex_span *spans, int n_spans, uint8_t digest[32]);

#endif							/* EX_SHA256_H */
