/*
 * model_cache.c
 *		Models of this session, compiled and ready to run.
 */
#include "model/model_cache.h"

#include "miscadmin.h"
#include "utils/hsearch.h"
#include "utils/memutils.h"

int			model_cache_size = 256 * 1024;

static HTAB *entries = NULL;

/*
 * Only an entry in use grows, so that the bytes of the others are a running
 * sum: a query may pass by ten thousand models.
 */
static dlist_head pinned = DLIST_STATIC_INIT(pinned);
static dlist_head idle = DLIST_STATIC_INIT(idle);	/* most recently used
													 * first */
static Size idle_bytes = 0;

static void
create_cache(void)
{
	HASHCTL		control = {0};

	control.keysize = sizeof(((ModelEntry *) 0)->digest);
	control.entrysize = sizeof(ModelEntry);
	control.hcxt = TopMemoryContext;
	entries = hash_create("explain_ext models", 32, &control,
						  HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
}

static Size
entry_bytes(const ModelEntry *entry)
{
	return MemoryContextMemAllocated(entry->context, true);
}

static Size
cache_bytes(void)
{
	Size		total = idle_bytes;
	dlist_iter	iter;

	dlist_foreach(iter, &pinned)
		total += entry_bytes(dlist_container(ModelEntry, link, iter.cur));
	return total;
}

static void
drop_idle(ModelEntry *entry)
{
	MemoryContext context = entry->context;

	idle_bytes -= entry_bytes(entry);
	dlist_delete(&entry->link);
	hash_search(entries, entry->digest, HASH_REMOVE, NULL);
	MemoryContextDelete(context);
}

/* Let idle entries go, oldest first, until the rest fits. */
static void
evict(void)
{
	Size		limit = (Size) model_cache_size * 1024;
	Size		used = cache_bytes() - idle_bytes;

	while (used + idle_bytes > limit && !dlist_is_empty(&idle))
		drop_idle(dlist_container(ModelEntry, link, dlist_tail_node(&idle)));
}

/* What the others leave of the limit is room for this entry's derived tables. */
static void
set_table_limit(ModelEntry *entry)
{
	Size		limit = (Size) model_cache_size * 1024;
	Size		used = cache_bytes() - entry->compiled->table_bytes;

	entry->compiled->table_limit = limit > used ? limit - used : 0;
}

static void
pin(ModelEntry *entry)
{
	if (entry->pins++ > 0)
		return;
	idle_bytes -= entry_bytes(entry);
	dlist_delete(&entry->link);
	dlist_push_head(&pinned, &entry->link);
}

ModelEntry *
model_cache_find(const uint8 digest[16])
{
	ModelEntry *entry = NULL;

	if (entries != NULL)
		entry = hash_search(entries, digest, HASH_FIND, NULL);
	if (entry == NULL)
		return NULL;
	pin(entry);
	set_table_limit(entry);
	return entry;
}

/*
 * The new entry is built in a child of the caller's context and moved only
 * when it is complete, so that an error on the way leaves nothing behind.
 */
ModelEntry *
model_cache_add(const ex_model *model)
{
	MemoryContext context = AllocSetContextCreate(CurrentMemoryContext, "explain_ext model",
												  ALLOCSET_DEFAULT_SIZES);
	ex_host    *host = host_pg_create(context);
	ex_model   *copy;
	ex_compiled *compiled;
	ModelEntry *entry;
	bool		found;

	EX_PG(host, ex_verify_digest(host, model, VARSIZE_ANY(model)));
	copy = MemoryContextAllocHuge(context, model->size);
	memcpy(copy, model, model->size);
	EX_PG(host, ex_compile(host, copy, 0, &compiled));

	if (entries == NULL)
		create_cache();
	entry = hash_search(entries, copy->digest, HASH_ENTER, &found);
	Assert(!found);
	MemoryContextSetParent(context, TopMemoryContext);
	entry->context = context;
	entry->model = copy;
	entry->compiled = compiled;
	ex_own_background(copy, &entry->background);
	entry->pins = 1;
	dlist_push_head(&pinned, &entry->link);

	evict();
	set_table_limit(entry);
	return entry;
}

void
model_cache_unpin(ModelEntry *entry)
{
	Assert(entry->pins > 0);
	if (--entry->pins > 0)
		return;
	dlist_delete(&entry->link);
	dlist_push_head(&idle, &entry->link);
	idle_bytes += entry_bytes(entry);
}
