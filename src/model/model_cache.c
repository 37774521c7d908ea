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
static dlist_head lru = DLIST_STATIC_INIT(lru);	/* most recently used first */

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
cache_bytes(void)
{
	Size		total = 0;
	dlist_iter	iter;

	dlist_foreach(iter, &lru)
		total += MemoryContextMemAllocated(dlist_container(ModelEntry, lru, iter.cur)->context, true);
	return total;
}

static void
drop_entry(ModelEntry *entry)
{
	MemoryContext context = entry->context;

	dlist_delete(&entry->lru);
	hash_search(entries, entry->digest, HASH_REMOVE, NULL);
	MemoryContextDelete(context);
}

/* Let unpinned entries go, oldest first, until the rest fits. */
static void
evict(void)
{
	Size		limit = (Size) model_cache_size * 1024;
	Size		total = cache_bytes();
	dlist_node *node = lru.head.prev;

	while (total > limit && node != &lru.head)
	{
		ModelEntry *entry = dlist_container(ModelEntry, lru, node);

		node = node->prev;
		if (entry->pins > 0)
			continue;
		total -= MemoryContextMemAllocated(entry->context, true);
		drop_entry(entry);
	}
}

/* What the others leave of the limit is room for this entry's derived tables. */
static void
set_table_limit(ModelEntry *entry)
{
	Size		limit = (Size) model_cache_size * 1024;
	Size		used = cache_bytes() - entry->compiled->table_bytes;

	entry->compiled->table_limit = limit > used ? limit - used : 0;
}

static ModelEntry *
use(ModelEntry *entry)
{
	entry->pins++;
	dlist_move_head(&lru, &entry->lru);
	return entry;
}

ModelEntry *
model_cache_find(const uint8 digest[16])
{
	ModelEntry *entry = NULL;

	if (entries != NULL)
		entry = hash_search(entries, digest, HASH_FIND, NULL);
	if (entry == NULL)
		return NULL;
	use(entry);
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
	entry->pins = 0;
	dlist_push_head(&lru, &entry->lru);

	use(entry);
	evict();
	set_table_limit(entry);
	return entry;
}

void
model_cache_unpin(ModelEntry *entry)
{
	Assert(entry->pins > 0);
	entry->pins--;
}
