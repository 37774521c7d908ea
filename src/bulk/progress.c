/*
 * progress.c
 *		Reporting progress, and explain.progress() that shows it.
 */
#include "bulk/progress.h"

#include <math.h>

#include "catalog/pg_authid.h"
#include "catalog/pg_class.h"
#include "commands/dbcommands.h"
#include "miscadmin.h"
#include "rows/rows.h"
#include "utils/acl.h"
#include "utils/backend_progress.h"
#include "utils/backend_status.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/syscache.h"
#include "utils/timestamp.h"

/*
 * A command number of our own: PostgreSQL's views select the commands they
 * know, and so never show our numbers as something else.
 */
#define EXPLAIN_COMMAND ((ProgressCommandType) 0x4558)

/* Numbers of the slot. */
enum
{
	AT_FUNCTION,				/* pg_proc.oid */
	AT_STARTED,					/* TimestampTz */
	AT_REPORTED,				/* TimestampTz of the last report */
	AT_DONE,					/* rows */
	AT_TOTAL					/* estimate of rows; -1: unknown */
};

struct Progress
{
	MemoryContextCallback on_end;
	Oid			function;
	Oid			relation;		/* whose rows are the input; or none */
	int64		started;
	int64		total;
	int64		done;
};

/* Whose report the slot of this session holds. */
static Progress *reporting;

static bool
slot_is(ProgressCommandType command)
{
	return MyBEEntry != NULL && MyBEEntry->st_progress_command == command;
}

/* The query is over: its memory goes away. */
static void
end_report(void *arg)
{
	if (reporting != arg)
		return;
	reporting = NULL;
	if (slot_is(EXPLAIN_COMMAND))
		pgstat_progress_end_command();
}

/* Rows that the table of a row type is estimated to have; -1 if there is none. */
static int64
estimated_rows(Oid relation)
{
	HeapTuple	tuple = OidIsValid(relation) ? SearchSysCache1(RELOID, ObjectIdGetDatum(relation)) : NULL;
	double		rows = -1;

	if (HeapTupleIsValid(tuple))
	{
		rows = ((Form_pg_class) GETSTRUCT(tuple))->reltuples;
		ReleaseSysCache(tuple);
	}
	return rows < 0 ? -1 : (int64) rows;
}

static void
take_slot(const Progress *progress)
{
	pgstat_progress_start_command(EXPLAIN_COMMAND, progress->relation);
	pgstat_progress_update_param(AT_FUNCTION, (int64) progress->function);
	pgstat_progress_update_param(AT_STARTED, progress->started);
	pgstat_progress_update_param(AT_TOTAL, progress->total);
}

static void
report(const Progress *progress)
{
	static const int at[] = {AT_DONE, AT_REPORTED};
	const int64 value[] = {progress->done, GetCurrentTimestamp()};

	pgstat_progress_update_multi_param(lengthof(at), at, value);
}

Progress *
progress_begin(MemoryContext context, Oid function, Oid input_type)
{
	Progress   *progress = MemoryContextAllocZero(context, sizeof(Progress));

	/* a command that reports itself, or an outer query of ours, goes before */
	if (!slot_is(PROGRESS_COMMAND_INVALID) || reporting != NULL)
		return progress;
	progress->function = function;
	progress->relation = get_typ_typrelid(input_type);
	progress->started = GetCurrentTimestamp();
	progress->total = estimated_rows(progress->relation);
	progress->on_end.func = end_report;
	progress->on_end.arg = progress;
	MemoryContextRegisterResetCallback(context, &progress->on_end);
	reporting = progress;
	take_slot(progress);
	report(progress);
	return progress;
}

void
progress_add(Progress *progress, uint32 rows)
{
	progress->done += rows;
	if (reporting != progress)
		return;

	/*
	 * the slot is emptied where a subtransaction fails, and after a command
	 * that took it
	 */
	if (slot_is(PROGRESS_COMMAND_INVALID))
		take_slot(progress);
	if (slot_is(EXPLAIN_COMMAND))
		report(progress);
}

/* As in pg_stat_activity: other roles' work is for those who may see it. */
static bool
may_see(const PgBackendStatus *backend)
{
	return has_privs_of_role(GetUserId(), backend->st_userid) ||
		has_privs_of_role(GetUserId(), ROLE_PG_READ_ALL_STATS);
}

static double
seconds_between(int64 from, int64 to)
{
	return (to - from) / (double) USECS_PER_SEC;
}

/* The columns of sql/, in order. */
static void
progress_row(RowWriter *row, const PgBackendStatus *backend)
{
	const int64 *at = backend->st_progress_param;
	double		seconds = seconds_between(at[AT_STARTED], at[AT_REPORTED]);
	bool		here = backend->st_databaseid == MyDatabaseId;
	Oid			relation = backend->st_progress_command_target;

	row_int4(row, backend->st_procpid);
	row_text(row, get_database_name(backend->st_databaseid));
	row_text(row, GetUserNameFromId(backend->st_userid, true));
	row_text(row, here ? get_func_name((Oid) at[AT_FUNCTION]) : NULL);
	row_text(row, here && OidIsValid(relation) ? get_rel_name(relation) : NULL);
	row_float8(row, at[AT_DONE]);
	row_float8(row, at[AT_TOTAL] < 0 ? NAN : at[AT_TOTAL]);
	row_float8(row, seconds > 0 ? at[AT_DONE] / seconds : NAN);
	row_float8(row, seconds_between(at[AT_STARTED], GetCurrentTimestamp()));
	row_end(row);
}

PG_FUNCTION_INFO_V1(explain_progress);

/* progress(): what sessions are explaining at the moment */
Datum
explain_progress(PG_FUNCTION_ARGS)
{
	RowWriter	row;
	int			n = pgstat_fetch_stat_numbackends();

	rows_begin(fcinfo, &row);
	for (int i = 1; i <= n; i++)
	{
		LocalPgBackendStatus *local = pgstat_local_backend(i);

		if (local != NULL && local->backendStatus.st_progress_command == EXPLAIN_COMMAND &&
			may_see(&local->backendStatus))
			progress_row(&row, &local->backendStatus);
	}
	return (Datum) 0;
}
