/*
 * bulk.c
 *		Reading tiles of a partition, and handing out what kernels make of them.
 */
#include "bulk/bulk.h"

#include "bulk/progress.h"
#include "miscadmin.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/memutils.h"

#define FIRST_TILE 32			/* rows; who wants one row pays for few */
#define LAST_TILE 256
#define TILE_BYTES (4 * 1024 * 1024)	/* of features and results */
#define ROWS_BYTES (32 * 1024)	/* of memory for reading rows, before it is
								 * emptied */

/* What a call in a query keeps: in fn_extra. */
typedef struct BulkSite
{
	CallSite   *site;
	ModelRef   *ahead;			/* models of rows ahead, while site->ref pins
								 * the tile's */
	bool		model_varies;	/* argument 0 differs from row to row */
	uint32		target;			/* rows that the next tile may have */

	/* the tile */
	int64		first;			/* its position in the partition */
	uint32		n;
	uint32		handed_out;		/* answers */
	Size		bytes;			/* of inputs, as the executor stores them */
	uint32		n_explained;	/* rows that are not null: they lie together
								 * in ... */
	double	   *x;
	double	   *result;
	int16		place[LAST_TILE];	/* ... here; -1: the answer is NULL */
	uint64		width;			/* numbers per row of result */
	void	   *plan;

	MemoryContext rows;			/* values of rows being read */
	MemoryContext numbers;		/* x and result */
	uint32		sized_p;		/* what x and result have room for ... */
	uint64		sized_width;
	uint32		capacity;		/* ... in rows */
	Progress   *progress;
} BulkSite;

/* In the partition's memory, zero where it begins. */
typedef struct BulkPartition
{
	bool		begun;
} BulkPartition;

/*
 * Does an argument have the same value for all rows?  Its expression must
 * neither read a column nor be volatile.
 */
static bool
is_invariant(Node *expression)
{
	return !contain_var_clause(expression) && !contain_volatile_functions(expression);
}

static void
check_options(const BulkMethod *method, List *arguments)
{
	for (int i = 2; i < list_length(arguments); i++)
		if (!is_invariant(list_nth(arguments, i)))
			ereport(ERROR,
					(errcode(ERRCODE_FEATURE_NOT_SUPPORTED),
					 errmsg("option %d of %s must be the same for all rows", i - 1, method->name),
					 errhint("Use the per-row function where options depend on the row.")));
}

static BulkSite *
create_site(FunctionCallInfo fcinfo, const BulkMethod *method)
{
	MemoryContext context = fcinfo->flinfo->fn_mcxt;
	List	   *arguments = castNode(WindowFunc, fcinfo->flinfo->fn_expr)->args;
	BulkSite   *bulk;

	check_options(method, arguments);
	bulk = MemoryContextAllocZero(context, sizeof(BulkSite));
	bulk->site = call_site_create(context);
	bulk->ahead = model_ref_create(context);
	bulk->model_varies = !is_invariant(linitial(arguments));
	bulk->target = FIRST_TILE;
	bulk->plan = MemoryContextAllocZero(context, method->plan_size);
	bulk->rows = AllocSetContextCreate(context, "explain_ext rows", 0, ROWS_BYTES, ALLOCSET_DEFAULT_MAXSIZE);
	bulk->numbers = AllocSetContextCreate(context, "explain_ext tile", ALLOCSET_DEFAULT_SIZES);
	bulk->progress = progress_begin(context, fcinfo->flinfo->fn_oid, exprType(lsecond(arguments)));
	fcinfo->flinfo->fn_extra = bulk;
	return bulk;
}

/* Options, as the functions that read arguments expect them. */
static void
fetch_options(FunctionCallInfo fcinfo, WindowObject window)
{
	for (int i = 2; i < fcinfo->nargs; i++)
		fcinfo->args[i].value = WinGetFuncArgCurrent(window, i, &fcinfo->args[i].isnull);
}

/* Rows of a tile, by the bytes of a row of numbers. */
static uint32
tile_rows(Size row)
{
	return Max(1, Min(LAST_TILE, TILE_BYTES / row));
}

/* Room for tiles of the site's model. */
static void
size_tile(BulkSite *bulk)
{
	uint32		p = bulk->site->entry->model->n_features;
	Size		row = (p + bulk->width) * sizeof(double);

	if (bulk->capacity > 0 && bulk->sized_p == p && bulk->sized_width == bulk->width)
		return;
	if (!AllocSizeIsValid(row))
		ereport(ERROR,
				(errcode(ERRCODE_PROGRAM_LIMIT_EXCEEDED),
				 errmsg("array of attributions is too large")));
	bulk->capacity = 0;			/* until there is room again */
	MemoryContextReset(bulk->numbers);
	bulk->x = MemoryContextAllocHuge(bulk->numbers, tile_rows(row) * p * sizeof(double));
	bulk->result = MemoryContextAllocHuge(bulk->numbers, tile_rows(row) * bulk->width * sizeof(double));
	bulk->sized_p = p;
	bulk->sized_width = bulk->width;
	bulk->capacity = tile_rows(row);
}

/*
 * Argument 0 or 1 of the tile's next row; *outside: the partition has none.
 *
 * A value may lie in the slot that holds the row, which the next call of this
 * function overwrites: use it before.
 */
static Datum
fetch(const BulkSite *bulk, WindowObject window, int argno, bool *null, bool *outside)
{
	*outside = false;
	if (bulk->n == 0)
		return WinGetFuncArgCurrent(window, argno, null);
	return WinGetFuncArgInPartition(window, argno, (int) bulk->n, WINDOW_SEEK_CURRENT, false, null, outside);
}

/* Adds a row to the tile. */
static void
put_row(BulkSite *bulk, InputKind kind, Datum input)
{
	Size		p = bulk->site->entry->model->n_features;

	bulk->bytes += VARSIZE_ANY(DatumGetPointer(input));
	call_site_read(bulk->site, kind, input);
	memcpy(bulk->x + bulk->n_explained * p, bulk->site->row->x, p * sizeof(double));
	bulk->place[bulk->n++] = (int16) bulk->n_explained++;
}

static void
put_null(BulkSite *bulk)
{
	bulk->place[bulk->n++] = -1;
}

/* The first row decides on the model.  False if it is null: a tile of its own. */
static bool
open_tile(BulkSite *bulk, FunctionCallInfo fcinfo, InputKind kind, ModelSource source,
		  const BulkMethod *method)
{
	WindowObject window = PG_WINDOW_OBJECT();
	bool		no_model;
	bool		no_input = true;
	bool		outside;
	Datum		value = fetch(bulk, window, 0, &no_model, &outside);

	if (!no_model)
	{
		bulk->site->entry = model_ref_get(bulk->site->ref, source, value);
		value = fetch(bulk, window, 1, &no_input, &outside);
	}
	if (no_input)
	{
		put_null(bulk);
		return false;
	}
	fetch_options(fcinfo, window);
	bulk->width = method->plan(bulk->site, fcinfo, kind, bulk->plan);
	size_tile(bulk);
	put_row(bulk, kind, value);
	return true;
}

typedef enum NextModel
{
	SAME_MODEL,
	NO_MODEL,
	OTHER_MODEL					/* or no row at all */
} NextModel;

/* What the tile's next row has for a model, where that depends on the row. */
static NextModel
next_model(BulkSite *bulk, WindowObject window, ModelSource source)
{
	bool		null;
	bool		outside;
	Datum		model;

	if (!bulk->model_varies)
		return SAME_MODEL;
	model = fetch(bulk, window, 0, &null, &outside);
	if (outside)
		return OTHER_MODEL;
	if (null)
		return NO_MODEL;
	return model_ref_get(bulk->ahead, source, model) == bulk->site->entry ? SAME_MODEL : OTHER_MODEL;
}

/* Adds the next row.  False if it is not of this tile, or there is none. */
static bool
next_row(BulkSite *bulk, WindowObject window, InputKind kind, ModelSource source)
{
	NextModel	model = next_model(bulk, window, source);
	bool		null = true;
	bool		outside = model == OTHER_MODEL;
	Datum		input = (Datum) 0;

	if (model == SAME_MODEL)
		input = fetch(bulk, window, 1, &null, &outside);
	if (outside)
		return false;
	if (null)
		put_null(bulk);
	else
		put_row(bulk, kind, input);
	return true;
}

/*
 * Rows until the tile is full, the partition ends, or another model comes.
 *
 * The executor keeps the tile's rows within work_mem, and would else write
 * all that follow to disk as well: a quarter of it leaves room for other
 * columns, and for rows behind that it has not yet let go.
 */
static void
fill_tile(BulkSite *bulk, WindowObject window, InputKind kind, ModelSource source)
{
	uint32		end = Min(bulk->target, bulk->capacity);
	Size		most_bytes = (Size) work_mem * 1024 / 4;

	while (bulk->n < end && bulk->bytes < most_bytes && next_row(bulk, window, kind, source))
	{
		CHECK_FOR_INTERRUPTS();
		if (MemoryContextMemAllocated(bulk->rows, false) > ROWS_BYTES)
			MemoryContextReset(bulk->rows);
	}
	bulk->target = Min(2 * bulk->target, LAST_TILE);
}

/*
 * The rows from the current one on, as many as belong together, and their
 * answers.  The executor may forget those before the last one.
 */
static void
next_tile(BulkSite *bulk, FunctionCallInfo fcinfo, ModelSource source, InputKind kind,
		  const BulkMethod *method)
{
	WindowObject window = PG_WINDOW_OBJECT();
	MemoryContext old = MemoryContextSwitchTo(bulk->rows);

	bulk->first = WinGetCurrentPosition(window);
	bulk->n = bulk->n_explained = bulk->handed_out = 0;
	bulk->bytes = 0;
	MemoryContextReset(bulk->site->scratch);
	if (open_tile(bulk, fcinfo, kind, source, method))
	{
		fill_tile(bulk, window, kind, source);
		progress_add(bulk->progress, 0);
		method->run(bulk->site, bulk->plan, bulk->x, bulk->n_explained, bulk->result);
	}
	WinSetMarkPosition(window, bulk->first + bulk->n - 1);
	progress_add(bulk->progress, bulk->n);
	MemoryContextSwitchTo(old);
	MemoryContextReset(bulk->rows);
}

/*
 * In a new partition, or when the plan is run again.  Who did not want all
 * that was read ahead, such as a LIMIT in a LATERAL subquery, gets less.
 */
static void
begin_partition(BulkSite *bulk)
{
	if (bulk->handed_out < bulk->n)
		bulk->target = FIRST_TILE;
	bulk->n = 0;
}

Datum
bulk_call(FunctionCallInfo fcinfo, ModelSource source, InputKind kind, const BulkMethod *method)
{
	BulkSite   *bulk = fcinfo->flinfo->fn_extra != NULL ? fcinfo->flinfo->fn_extra : create_site(fcinfo, method);
	WindowObject window = PG_WINDOW_OBJECT();
	BulkPartition *partition = WinGetPartitionLocalMemory(window, sizeof(BulkPartition));
	int64		at = WinGetCurrentPosition(window);
	int			place;

	if (!partition->begun)
		begin_partition(bulk);
	partition->begun = true;
	if (bulk->n == 0 || at >= bulk->first + bulk->n)
		next_tile(bulk, fcinfo, source, kind, method);
	bulk->handed_out++;
	place = bulk->place[at - bulk->first];
	if (place < 0)
		PG_RETURN_NULL();
	return method->answer(bulk->site, bulk->plan, bulk->result + place * bulk->width);
}
