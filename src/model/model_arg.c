/*
 * model_arg.c
 *		From a function's first argument to a model ready to run.
 *
 * By value.  A model in a table is a toast pointer of 18 bytes: comparing it
 * with those seen before in the same transaction is all that a row costs.
 * (Within a transaction a toast value id cannot come to mean another value:
 * vacuum removes nothing that our own snapshots could still need, and ids are
 * not reused before the counter wraps.)  A pointer not seen yet: read the
 * header alone, look the digest up in the session's cache, and only then
 * fetch the whole value.
 *
 * By name.  An SPI query as the current user, remembered while name, user,
 * row_security, (sub)transaction and snapshot are unchanged: a model updated
 * or a role changed between two calls is seen at once.  The answer of a policy
 * may hang on anything else as well, such as a setting that says whose turn it
 * is, so the query runs at each call where one applies; its plan is kept.
 */
#include "model/model_arg.h"

#include "access/detoast.h"
#include "access/xact.h"
#include "catalog/namespace.h"
#include "catalog/pg_class.h"
#include "catalog/pg_type.h"
#include "executor/spi.h"
#include "miscadmin.h"
#include "utils/builtins.h"
#include "utils/guc.h"
#include "utils/lsyscache.h"
#include "utils/memutils.h"
#include "utils/rls.h"
#include "utils/snapmgr.h"
#include "utils/syscache.h"

#define MEMO_SIZE 8				/* a query that compares models alternates
								 * among a few */

typedef struct ValueMemo
{
	Oid			toastrelid;
	Oid			valueid;
	LocalTransactionId lxid;
	ModelEntry *entry;			/* NULL: unused */
} ValueMemo;

typedef struct NameMemo
{
	text	   *name;			/* NULL: nothing to remember */
	Oid			user;
	bool		row_security;
	LocalTransactionId lxid;
	SubTransactionId subxact;	/* what it added may be gone without a new
								 * snapshot */
	TransactionId xmin;
	TransactionId xmax;
	CommandId	curcid;
	uint64		completions;
	ModelEntry *entry;			/* of the last call by name, pinned; NULL:
								 * none yet */
} NameMemo;

struct ModelRef
{
	MemoryContext context;
	MemoryContextCallback release;
	ValueMemo	memo[MEMO_SIZE];
	int			next;			/* memo to overwrite */
	NameMemo	name;
	ModelEntry *last;			/* of a value that is not toasted */
};

static void
unpin_if(ModelEntry *entry)
{
	if (entry != NULL)
		model_cache_unpin(entry);
}

static void
release(void *arg)
{
	ModelRef   *ref = arg;

	for (int i = 0; i < MEMO_SIZE; i++)
		unpin_if(ref->memo[i].entry);
	unpin_if(ref->name.entry);
	unpin_if(ref->last);
}

ModelRef *
model_ref_create(MemoryContext context)
{
	ModelRef   *ref = MemoryContextAllocZero(context, sizeof(ModelRef));

	ref->context = context;
	ref->release.func = release;
	ref->release.arg = ref;
	MemoryContextRegisterResetCallback(context, &ref->release);
	return ref;
}

static void
not_a_model(void)
{
	ereport(ERROR,
			(errcode(ERRCODE_DATA_CORRUPTED),
			 errmsg("stored value is not a model"),
			 errhint("Restore the value from a backup or build the model again.")));
}

/* Entry for a model that lies whole in memory; pinned. */
static ModelEntry *
entry_for(const ex_model *model)
{
	ModelEntry *entry = model_cache_find(model->digest);

	return entry != NULL ? entry : model_cache_add(model);
}

static const ex_model *
detoast(struct varlena *value)
{
	struct varlena *whole = pg_detoast_datum(value);

	if (VARSIZE(whole) < sizeof(ex_model))
		not_a_model();
	return (const ex_model *) whole;
}

static ModelEntry *
entry_for_toasted(struct varlena *value)
{
	struct varlena *head = pg_detoast_datum_slice(value, 0, sizeof(ex_model) - VARHDRSZ);
	ModelEntry *entry;

	if (VARSIZE(head) < sizeof(ex_model))
		not_a_model();
	entry = model_cache_find(((const ex_model *) head)->digest);
	pfree(head);
	if (entry == NULL)
	{
		const ex_model *model = detoast(value);

		entry = entry_for(model);
		pfree((void *) model);
	}
	return entry;
}

static ModelEntry *
get_toasted(ModelRef *ref, struct varlena *value)
{
	struct varatt_external pointer;
	LocalTransactionId lxid = MyLocalTransactionId();
	ValueMemo  *memo;
	ModelEntry *entry;

	VARATT_EXTERNAL_GET_POINTER(pointer, value);
	for (int i = 0; i < MEMO_SIZE; i++)
	{
		memo = &ref->memo[i];
		if (memo->entry != NULL && memo->valueid == pointer.va_valueid &&
			memo->toastrelid == pointer.va_toastrelid && memo->lxid == lxid)
			return memo->entry;
	}

	entry = entry_for_toasted(value);
	memo = &ref->memo[ref->next];
	ref->next = (ref->next + 1) % MEMO_SIZE;
	unpin_if(memo->entry);
	memo->toastrelid = pointer.va_toastrelid;
	memo->valueid = pointer.va_valueid;
	memo->lxid = lxid;
	memo->entry = entry;
	return entry;
}

/* Parameters, intermediate results and small models: the digest is at hand. */
static ModelEntry *
get_plain(ModelRef *ref, struct varlena *value)
{
	const ex_model *model = detoast(value);

	if (ref->last == NULL || memcmp(ref->last->digest, model->digest, sizeof(model->digest)) != 0)
	{
		ModelEntry *entry = entry_for(model);

		unpin_if(ref->last);
		ref->last = entry;
	}
	if ((void *) model != (void *) value)
		pfree((void *) model);
	return ref->last;
}

/* Split 'credit@2' into name and version; version 0 means the newest. */
static char *
split_name(const text *argument, int32 *version)
{
	char	   *name = text_to_cstring(argument);
	char	   *at = strrchr(name, '@');

	*version = 0;
	if (at != NULL && at[1] != '\0' && strspn(at + 1, "0123456789") == strlen(at + 1) && strlen(at + 1) < 10)
	{
		*at = '\0';
		*version = atoi(at + 1);
	}
	return name;
}

static void
unknown_model(const char *name, int32 version)
{
	ereport(ERROR,
			(errcode(ERRCODE_UNDEFINED_OBJECT),
			 version == 0 ? errmsg("model \"%s\" does not exist", name)
			 : errmsg("model \"%s\" has no version %d", name, version),
			 errhint("Models that you may use are listed in view explain.models.")));
}

/* A quoted document without a cast is taken for a name; no name begins so. */
static void
refuse_document(const char *name)
{
	if (name[0] == '{')
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_OBJECT),
				 errmsg("a model document stands where the name of a model is expected"),
				 errhint("Cast it: '{...}'::explain.model.")));
}

static Oid
require_registry(void)
{
	Oid			schema = get_namespace_oid("explain", true);
	Oid			registry = OidIsValid(schema) ? get_relname_relid("model_versions", schema) : InvalidOid;

	if (!OidIsValid(registry))
		ereport(ERROR,
				(errcode(ERRCODE_UNDEFINED_TABLE),
				 errmsg("there is no model registry in this database"),
				 errhint("Create one with CALL explain.create_registry(), or pass a model value instead of a name.")));
	return registry;
}

/* Does the answer depend on nothing but the snapshot and the user? */
static bool
is_stable(Oid registry)
{
	char		kind = get_rel_relkind(registry);

	return (kind == RELKIND_RELATION || kind == RELKIND_PARTITIONED_TABLE) &&
		check_enable_rls(registry, InvalidOid, true) != RLS_ENABLED;
}

/* Anybody who may create tables in the schema could have made one of that name. */
static void
check_registry(TupleDesc result)
{
	Oid			schema = get_namespace_oid("explain", false);
	Oid			type = GetSysCacheOid2(TYPENAMENSP, Anum_pg_type_oid, CStringGetDatum("model"),
									   ObjectIdGetDatum(schema));

	if (TupleDescAttr(result, 0)->atttypid != type)
		ereport(ERROR,
				(errcode(ERRCODE_DATATYPE_MISMATCH),
				 errmsg("column \"model\" of table explain.model_versions is not of type explain.model"),
				 errhint("Rename that table and create the registry with CALL explain.create_registry().")));
}

/* The plan is made once in a session; the server makes it anew when it must. */
static SPIPlanPtr
registry_plan(void)
{
	static SPIPlanPtr saved = NULL;
	Oid			types[2] = {TEXTOID, INT4OID};
	SPIPlanPtr	plan;

	if (saved != NULL)
		return saved;
	plan = SPI_prepare("SELECT model FROM explain.model_versions"
					   " WHERE name OPERATOR(pg_catalog.=) $1"
					   " AND ($2 OPERATOR(pg_catalog.=) 0 OR version OPERATOR(pg_catalog.=) $2)"
					   " ORDER BY version USING OPERATOR(pg_catalog.>) LIMIT 1", 2, types);
	if (plan == NULL || SPI_keepplan(plan) != 0)
		elog(ERROR, "could not prepare a query of explain.model_versions: %s", SPI_result_code_string(SPI_result));
	return saved = plan;
}

/*
 * Query the registry as the current user.  The value of a version (0: the
 * newest), usually a toast pointer, in the caller's memory; NULL if there is
 * none.
 */
static struct varlena *
query_registry(const char *name, int32 version)
{
	Datum		values[2] = {CStringGetTextDatum(name), Int32GetDatum(version)};
	struct varlena *value = NULL;
	int			result;

	if (SPI_connect() != SPI_OK_CONNECT)
		elog(ERROR, "SPI_connect failed");
	result = SPI_execute_plan(registry_plan(), values, NULL, true, 1);
	if (result != SPI_OK_SELECT)
		elog(ERROR, "could not query explain.model_versions: %s", SPI_result_code_string(result));
	check_registry(SPI_tuptable->tupdesc);
	if (SPI_processed == 1)
	{
		bool		isnull;
		Datum		model = SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &isnull);

		if (!isnull)
			value = (struct varlena *) DatumGetPointer(SPI_datumTransfer(model, false, -1));
	}
	SPI_finish();
	return value;
}

/* The model of that name, pinned, or NULL. */
static ModelEntry *
look_up(const char *name, int32 version)
{
	struct varlena *value = query_registry(name, version);
	ModelEntry *entry;

	if (value == NULL)
		return NULL;
	entry = VARATT_IS_EXTERNAL_ONDISK(value) ? entry_for_toasted(value) : entry_for(detoast(value));
	pfree(value);
	return entry;
}

Datum
model_by_name(const text *argument, int32 version)
{
	char	   *name = text_to_cstring(argument);
	struct varlena *value;

	refuse_document(name);
	require_registry();
	if (version == 0)
		name = split_name(argument, &version);
	value = query_registry(name, version);
	if (value == NULL)
		unknown_model(name, version);
	return PointerGetDatum(value);
}

static bool
same_name(const NameMemo *memo, const text *name, Snapshot snapshot)
{
	return memo->name != NULL &&
		VARSIZE_ANY_EXHDR(name) == VARSIZE_ANY_EXHDR(memo->name) &&
		memcmp(VARDATA_ANY(name), VARDATA_ANY(memo->name), VARSIZE_ANY_EXHDR(name)) == 0 &&
		memo->user == GetUserId() && memo->row_security == row_security &&
		memo->lxid == MyLocalTransactionId() && memo->subxact == GetCurrentSubTransactionId() &&
		memo->xmin == snapshot->xmin && memo->xmax == snapshot->xmax &&
		memo->curcid == snapshot->curcid && memo->completions == snapshot->snapXactCompletionCount;
}

static ModelEntry *
get_named(ModelRef *ref, text *argument)
{
	NameMemo   *memo = &ref->name;
	Snapshot	snapshot = GetActiveSnapshot();
	ModelEntry *entry;
	Oid			registry;
	char	   *name;
	int32		version;

	if (same_name(memo, argument, snapshot))
		return memo->entry;

	name = split_name(argument, &version);
	refuse_document(name);
	registry = require_registry();
	entry = look_up(name, version);
	if (entry == NULL)
		unknown_model(name, version);

	unpin_if(memo->entry);
	memo->entry = entry;
	if (memo->name != NULL)
		pfree(memo->name);
	memo->name = NULL;
	if (!is_stable(registry))
		return entry;
	memo->user = GetUserId();
	memo->row_security = row_security;
	memo->lxid = MyLocalTransactionId();
	memo->subxact = GetCurrentSubTransactionId();
	memo->xmin = snapshot->xmin;
	memo->xmax = snapshot->xmax;
	memo->curcid = snapshot->curcid;
	memo->completions = snapshot->snapXactCompletionCount;
	memo->name = MemoryContextAlloc(ref->context, VARSIZE_ANY(argument));
	memcpy(memo->name, argument, VARSIZE_ANY(argument));
	return entry;
}

ModelEntry *
model_ref_get(ModelRef *ref, ModelSource source, Datum argument)
{
	struct varlena *value = (struct varlena *) DatumGetPointer(argument);

	if (source == MODEL_BY_NAME)
		return get_named(ref, DatumGetTextPP(argument));
	if (VARATT_IS_EXTERNAL_ONDISK(value))
		return get_toasted(ref, value);
	return get_plain(ref, value);
}

const ex_model *
model_getarg(Datum argument)
{
	const ex_model *model = detoast((struct varlena *) DatumGetPointer(argument));
	ex_host    *host = host_pg_here();

	EX_PG(host, ex_verify_digest(host, model, VARSIZE(model)));
	return model;
}

Datum
model_datum(ex_model *model)
{
	SET_VARSIZE(model, model->size);
	return PointerGetDatum(model);
}
