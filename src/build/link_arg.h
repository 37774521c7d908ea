/*
 * link_arg.h
 *		Arguments of type explain.link.
 */
#ifndef LINK_ARG_H
#define LINK_ARG_H

#include "host_pg.h"
#include "kernel/model_edit.h"

#include "fmgr.h"

extern ex_link link_arg(FunctionCallInfo fcinfo, int argno);

#endif							/* LINK_ARG_H */
