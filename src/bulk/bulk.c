/*
 * bulk.c
 *		Reading tiles of a partition, and handing out what kernels make of them.
 */
#include "bulk/bulk.h"

#include "bulk/progress.h"
#include "nodes/nodeFuncs.h"
#include "optimizer/clauses.h"
#include "optimizer/optimizer.h"
#include "utils/memutils.h"

#define FIRST_TILE 32			/* rows; who wants one row pays for few */
#define LAST_TILE 256
#define TILE_BYTES (4 * 1024 * 1024)	/* of features and results */
#define ROWS_PER_RESET 64		/* rows read between emptying memory */

/* What a call in a query keeps: in fn_extra. */
typedef struct BulkSite
{
	CallSite   *site;
	ModelRef   *ahead;			/* models of rows ahead, while site->ref pins the tile's */
	bool		model_varies;	/* argument 0 differs from row to row */
	uint32		target;			/* rows that the next tile may have */

	/* the tile */
	int64		first;			/* its position in the partition */
	uint32		n;
	uint32		width;			/* numbers per row of result */
	void	   *plan;
	bool		null[LAST_TILE];	/* the answer is NULL */
	double	   *x;
	double	   *result;

	MemoryContext rows;			/* values of rows being read */
	MemoryContext numbers;		/* x and result */
	uint32		sized_p;		/* what x and result have room for ... */
	uint32		sized_width;
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
bulk_site(FunctionCallInfo fcinfo, const BulkMethod *method)
{
	BulkSite   *bulk = fcinfo->flinfo->fn_extra;

	if (bulk == NULL)
	{
		MemoryContext context = fcinfo->flinfo->fn_mcxt;
		List	   *arguments = castNode(WindowFunc, fcinfo->flinfo->fn_expr)->args;

		check_options(method, arguments);
		bulk = MemoryContextAllocZero(context, sizeof(BulkSite));
		bulk->site = call_site_create(context);
		bulk->ahead = model_ref_create(context);
		bulk->model_varies = !is_invariant(linitial(arguments));
		bulk->target = FIRST_TILE;
		bulk->plan = MemoryContextAllocZero(context, method->plan_size);
		bulk->rows = AllocSetContextCreate(context, "explain_ext rows", ALLOCSET_DEFAULT_SIZES);
		bulk->numbers = AllocSetContextCreate(context, "explain_ext tile", ALLOCSET_DEFAULT_SIZES);
		bulk->progress = progress_begin(context, fcinfo->flinfo->fn_oid,
										exprType(lsecond(arguments)));
		fcinfo->flinfo->fn_extra = bulk;
	}
	return bulk;
}

/* Options, as the functions that read arguments expect them. */
static void
fetch_options(FunctionCallInfo fcinfo, WindowObject window)
{
	for (int i = 2; i < fcinfo->nargs; i++)
		fcinfo->args[i].value = WinGetFuncArgCurrent(window, i, &fcinfo->args[i].isnull);
}

/* Room for tiles of the site's model. */
static void
size_tile(BulkSite *bulk)
{
	uint32		p = bulk->site->entry->model->n_features;
	Size		row = ((Size) p + bulk->width) * sizeof(double);

	if (bulk->capacity > 0 && bulk->sized_p == p && bulk->sized_width == bulk->width)
		return;
	MemoryContextReset(bulk->numbers);
	bulk->capacity = Max(1, Min(LAST_TILE, TILE_BYTES / row));
	bulk->x = MemoryContextAllocHuge(bulk->numbers, bulk->capacity * (Size) p * sizeof(double));
	bulk->result = MemoryContextAllocHuge(bulk->numbers, bulk->capacity * (Size) bulk->width * sizeof(double));
	bulk->sized_p = p;
	bulk->sized_width = bulk->width;
}

/*
 * The arguments of a row of the tile that is being read, 0 for the first.
 * False where the partition ends before it.
 */
static bool
fetch_row(const BulkSite *bulk, WindowObject window, bool wants_model, Datum *model, Datum *input, bool *null)
{
	bool		no_model = false;
	bool		no_input;
	bool		outside;

	*input = WinGetFuncArgInPartition(window, 1, bulk->n, WINDOW_SEEK_CURRENT, false, &no_input, &outside);
	if (outside)
		return false;
	if (wants_model)
		*model = WinGetFuncArgInPartition(window, 0, bulk->n, WINDOW_SEEK_CURRENT, false, &no_model, &outside);
	*null = no_model || no_input;
	return true;
}

static void
put_row(BulkSite *bulk, InputKind kind, Datum input)
{
	Size		p = bulk->site->entry->model->n_features;

	call_site_read(bulk->site, kind, input);
	memcpy(bulk->x + bulk->n * p, bulk->site->row->x, p * sizeof(double));
}

/* The first row decides on the model.  False if it is null: a tile of its own. */
static bool
open_tile(BulkSite *bulk, FunctionCallInfo fcinfo, InputKind kind, ModelSource source,
		  const BulkMethod *method)
{
	WindowObject window = PG_WINDOW_OBJECT();
	Datum		model = (Datum) 0;
	Datum		input;

	bulk->n = 0;
	MemoryContextReset(bulk->site->scratch);
	if (!fetch_row(bulk, window, true, &model, &input, &bulk->null[0]))
		elog(ERROR, "current row is not in its partition");
	if (!bulk->null[0])
	{
		fetch_options(fcinfo, window);
		bulk->site->entry = model_ref_get(bulk->site->ref, source, model);
		bulk->width = method->plan(bulk->site, fcinfo, kind, bulk->plan);
		size_tile(bulk);
		put_row(bulk, kind, input);
	}
	bulk->n = 1;
	return !bulk->null[0];
}

/* Rows until the tile is full, the partition ends, or another model comes. */
static void
fill_tile(BulkSite *bulk, WindowObject window, InputKind kind, ModelSource source)
{
	uint32		end = Min(bulk->target, bulk->capacity);
	Datum		model = (Datum) 0;
	Datum		input;

	while (bulk->n < end &&
		   fetch_row(bulk, window, bulk->model_varies, &model, &input, &bulk->null[bulk->n]))
	{
		if (!bulk->null[bulk->n])
		{
			if (bulk->model_varies && model_ref_get(bulk->ahead, source, model) != bulk->site->entry)
				break;
			put_row(bulk, kind, input);
		}
		bulk->n++;
		if (bulk->n % ROWS_PER_RESET == 0)
			MemoryContextReset(bulk->rows);
	}
	bulk->target = Min(2 * bulk->target, LAST_TILE);
}

/* Null rows have no features: the kernel sees the runs between them. */
static void
run_tile(BulkSite *bulk, const BulkMethod *method)
{
	Size		p = bulk->sized_p;

	for (uint32 i = 0; i < bulk->n;)
	{
		uint32		end = i;

		while (end < bulk->n && !bulk->null[end])
			end++;
		if (end > i)
			method->run(bulk->site, bulk->plan, bulk->x + i * p, end - i,
						bulk->result + (Size) i * bulk->width);
		i = end + 1;
	}
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
	if (open_tile(bulk, fcinfo, kind, source, method))
	{
		fill_tile(bulk, window, kind, source);
		run_tile(bulk, method);
	}
	WinSetMarkPosition(window, bulk->first + bulk->n - 1);
	progress_add(bulk->progress, bulk->n);
	MemoryContextSwitchTo(old);
	MemoryContextReset(bulk->rows);
}

Datum
bulk_call(FunctionCallInfo fcinfo, ModelSource source, InputKind kind, const BulkMethod *method)
{
	WindowObject window = PG_WINDOW_OBJECT();
	BulkSite   *bulk = bulk_site(fcinfo, method);
	BulkPartition *partition = WinGetPartitionLocalMemory(window, sizeof(BulkPartition));
	int64		at = WinGetCurrentPosition(window);

	if (!partition->begun || at >= bulk->first + bulk->n)
		next_tile(bulk, fcinfo, source, kind, method);
	partition->begun = true;
	at -= bulk->first;
	if (bulk->null[at])
		PG_RETURN_NULL();
	return method->answer(bulk->site, bulk->plan, bulk->result + at * bulk->width);
}
