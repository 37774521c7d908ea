/*
 * json_scan.h
 *		The two encodings behind json.h; private to json.c and its scanners.
 *
 * `check` functions read untrusted bytes and report every fault; all others
 * run on checked documents only and cannot fail.
 */
#ifndef EX_JSON_SCAN_H
#define EX_JSON_SCAN_H

#include "json.h"

/* JSON text (json_text.c) */
extern ex_status ex_text_check(const ex_json *json);
extern const uint8_t *ex_text_space(const uint8_t *at, const uint8_t *end);
extern const uint8_t *ex_text_skip(const ex_json *json, const uint8_t *at);

/* one character of a string, decoded to 1 to 4 bytes of UTF-8; 0 at the closing quote */
extern int	ex_text_character(const uint8_t **at, char utf8[4]);

/* Decimal numbers; both return the byte after the number, NULL if there is none. */
extern const uint8_t *ex_text_double(const uint8_t *at, const uint8_t *end, double *value);
extern const uint8_t *ex_text_float(const uint8_t *at, const uint8_t *end, float *value);

/* UBJSON (json_binary.c) */
extern ex_status ex_binary_check(const ex_json *json);
extern const uint8_t *ex_binary_skip(const ex_json *json, ex_json_value value);
extern void ex_binary_begin(const ex_json *json, ex_json_value container, ex_json_cursor *cursor);
extern bool ex_binary_more(const ex_json *json, ex_json_cursor *cursor);

/* marker and payload of a value */
extern uint8_t ex_binary_marker(ex_json_value value, const uint8_t **payload);

/* bytes of a string or key */
extern const uint8_t *ex_binary_string(const ex_json *json, ex_json_value value, size_t *length);
extern const uint8_t *ex_binary_after_key(const ex_json *json, const uint8_t *key);

/* integers of any width as int64 (true), or d and D as double (false) */
extern bool ex_binary_number(uint8_t marker, const uint8_t *payload, int64_t *integer, double *real);

/* bytes of a fixed-width number; 0 for everything else */
extern size_t ex_binary_width(uint8_t marker);

#endif							/* EX_JSON_SCAN_H */
