/*
 * tree_predict.c
 *		Raw predictions of tree ensembles.
 *
 * A walk down one tree is a chain of dependent loads, so sixteen walks go down
 * side by side: as many trees for one row, or rows for one tree.  So that
 * no step needs a branch that a processor would have to guess, the stored
 * nodes are rewritten once into a form in which every test is the same:
 *
 *	- A row becomes a vector of slots, one for each (feature, treatment of
 *	  missing values) that some node asks for.  A missing value is NaN where it
 *	  goes right (x <= t is false) and -Infinity where it goes left (x <= t is
 *	  true), so that one comparison settles both.
 *	- A leaf compares slot 0, which is always NaN, and so goes "right", which
 *	  leads back to itself: all walks take as many steps as the deepest.
 *	- A set test looks up one bit.  Code 0 stands for a missing value, 1 for a
 *	  level that the model does not know, 2 + i for level i.
 *
 * Sums run in the order of the trees, in plain double, for one row as for
 * many, so the same row always gives the same bits.  The error is at most
 * T * 2^-53 * sum |leaf| (Higham 2002, eq. 4.4).
 */
#include <math.h>
#include <string.h>

#include "tree_family.h"

#define LANES 16

/* Trees (of one row) between two questions to the host whether to stop. */
#define POLL_TREES 32768

typedef union slot_value
{
	double		number;
	uint64_t	code;			/* of a set test */
} slot_value;

typedef enum slot_kind
{
	SLOT_MISSING_RIGHT = 0,
	SLOT_MISSING_LEFT,
	SLOT_IS_MISSING,
	SLOT_CODE,
	N_SLOT_KINDS
} slot_kind;

typedef struct slot
{
	uint32_t	feature;
	uint8_t		kind;
	bool		zero_missing;
} slot;

typedef struct walk_node
{
	union
	{
		double		number;		/* threshold; in leaves weight * value */
		uint64_t	set;		/* first word | largest code << 32 */
	}			value;
	int32_t		left;			/* of all nodes; in leaves the node before
								 * this one */
	uint32_t slot;
} walk_node;

#define SET_TEST 0x80000000u	/* in slot */

typedef struct ex_tree_walker
{
	const walk_node *node;		/* numbered like the stored ones */
	const uint64_t *bits;		/* of all sets; NULL if there are none */
	const slot *slots;
	uint32_t	n_slots;
	slot_value *row;			/* LANES * n_slots: the rows under way */
} ex_tree_walker;

/* ----------------------------------------------------------------
 * Making a walker
 * ---------------------------------------------------------------- */

/* Slots while they are handed out: number by (feature, kind, zero_missing). */
typedef struct slot_table
{
	uint32_t   *number;
	slot	   *slots;
	uint32_t	n;
} slot_table;

static uint32_t
slot_key(uint32_t feature, slot_kind kind, bool zero_missing)
{
	return (feature * N_SLOT_KINDS + kind) * 2 + zero_missing;
}

static slot_kind
kind_of(const ex_node *node)
{
	switch (EX_NODE_OP(node))
	{
		case EX_IN:
			return SLOT_CODE;
		case EX_ISNULL:
			return SLOT_IS_MISSING;
		default:
			return node->info & EX_NODE_DEFAULT_LEFT ? SLOT_MISSING_LEFT : SLOT_MISSING_RIGHT;
	}
}

/* Number of the slot that a split compares; hands out the next if it is new. */
static uint32_t
slot_of(slot_table *table, const ex_node *node)
{
	uint32_t	feature = EX_NODE_FEATURE(node);
	slot_kind	kind = kind_of(node);
	bool		zero_missing = (node->info & EX_NODE_ZERO_MISSING) != 0;
	uint32_t   *number = &table->number[slot_key(feature, kind, zero_missing)];

	if (*number == 0)
	{
		table->slots[table->n] = (slot) {feature, (uint8_t) kind, zero_missing};
		*number = table->n++;
	}
	return *number;
}

/* Words for the bits of a set: missing, unknown, its levels, and a 0 at the end. */
static uint32_t
set_size(const ex_tree_view *view, uint32_t set)
{
	return (view->set_start[set + 1] - view->set_start[set] + 1) / 2 + 1;
}

/*
 * Copies a set's bits to where codes find them, two bits up; the bit of the
 * largest code is 0, for all levels beyond.
 */
static uint64_t
put_set(const ex_tree_view *view, const ex_node *node, uint64_t *bits, uint32_t first)
{
	uint32_t	set = (uint32_t) node->value;
	uint32_t	start = view->set_start[set];
	uint32_t	words = view->set_start[set + 1] - start;

	bits[first] = (node->info & EX_NODE_DEFAULT_LEFT) ? 1 : 0;
	for (uint32_t w = 0; w < words; w++)
	{
		uint64_t	word = view->set_word[start + w];
		uint32_t	at = 32 * w + 2;

		bits[first + at / 64] |= word << (at % 64);
		if (at % 64 > 32)
			bits[first + at / 64 + 1] |= word >> (64 - at % 64);
	}
	return first | (uint64_t) (32 * words + 2) << 32;
}

static void
put_nodes(const ex_tree_state *state, slot_table *table, walk_node *to, uint64_t *bits)
{
	const ex_tree_view *view = &state->view;
	uint32_t	first_word = 0;

	for (uint32_t t = 0; t < view->n_trees; t++)
	{
		for (uint32_t i = view->root[t]; i < view->root[t + 1]; i++)
		{
			const ex_node *node = view->node + i;

			if (EX_NODE_OP(node) == EX_LEAF)
			{
				to[i].value.number = view->weight[t] * node->value;
				to[i].left = (int32_t) i - 1;
				to[i].slot = 0;
				continue;
			}
			to[i].value.number = node->value;
			to[i].left = (int32_t) view->root[t] + node->left;
			to[i].slot = slot_of(table, node);
			if (EX_NODE_OP(node) == EX_IN)
			{
				to[i].value.set = put_set(view, node, bits, first_word);
				to[i].slot |=SET_TEST;
				first_word += set_size(view, (uint32_t) node->value);
			}
		}
	}
}

/* Bytes of all tables of a walker, and the words of its sets. */
static size_t
walker_size(const ex_tree_view *view, uint32_t n_slots, size_t *n_words)
{
	uint32_t	n_sets = 0;

	*n_words = 0;
	for (uint32_t i = 0; i < view->n_nodes; i++)
		n_sets += EX_NODE_OP(view->node + i) == EX_IN;
	for (uint32_t s = 0; s < n_sets; s++)
		*n_words += set_size(view, s);
	return view->n_nodes * sizeof(walk_node) + *n_words * sizeof(uint64_t) +
		n_slots * (sizeof(slot) + LANES * sizeof(slot_value));
}

/* Numbers all slots; `table` lives as long as the call. */
static ex_status
count_slots(const ex_tree_view *view, ex_host *host, slot_table *table)
{
	size_t		most = (size_t) view->n_features * N_SLOT_KINDS * 2;

	EX_TRY(EX_ALLOC(host, most, &table->number));
	EX_TRY(EX_ALLOC(host, most + 1, &table->slots));
	table->n = 1;				/* slot 0 is that of the leaves */
	for (uint32_t i = 0; i < view->n_nodes; i++)
		if (EX_NODE_OP(view->node + i) != EX_LEAF)
			(void) slot_of(table, view->node + i);
	return EX_OK;
}

static ex_status
make_walker(ex_compiled *compiled, ex_host *host, ex_tree_state *state)
{
	ex_host    *keep = compiled->host;
	slot_table	table;
	size_t		n_words;
	size_t		size;
	ex_tree_walker *walker;
	walk_node  *nodes;
	slot	   *slots;
	uint64_t   *bits = NULL;

	EX_TRY(count_slots(&state->view, host, &table));
	size = walker_size(&state->view, table.n, &n_words);
	if (compiled->table_bytes + size > compiled->table_limit)
	{
		state->no_walker = true;
		return EX_OK;
	}
	EX_TRY(EX_ALLOC(keep, 1, &walker));
	EX_TRY(EX_ALLOC(keep, state->view.n_nodes, &nodes));
	EX_TRY(EX_ALLOC(keep, table.n, &slots));
	EX_TRY(EX_ALLOC(keep, (size_t) LANES * table.n, &walker->row));
	if (n_words > 0)
		EX_TRY(EX_ALLOC(keep, n_words, &bits));
	put_nodes(state, &table, nodes, bits);
	memcpy(slots, table.slots, table.n * sizeof(slot));
	walker->node = nodes;
	walker->bits = bits;
	walker->slots = slots;
	walker->n_slots = table.n;
	state->walker = walker;
	compiled->table_bytes += size;
	return EX_OK;
}

/* ----------------------------------------------------------------
 * Walking
 * ---------------------------------------------------------------- */

static inline bool
is_missing(double x, bool zero_missing)
{
	return x != x || (zero_missing && x <= EX_ZERO_EPSILON && x >= -EX_ZERO_EPSILON);
}

static void
fill_slots(const ex_tree_walker *walker, const double *x, slot_value *row)
{
	row[0].number = NAN;
	for (uint32_t s = 1; s < walker->n_slots; s++)
	{
		const slot *rule = &walker->slots[s];
		double		value = x[rule->feature];
		bool		missing = is_missing(value, rule->zero_missing);

		switch ((slot_kind) rule->kind)
		{
			case SLOT_MISSING_RIGHT:
				row[s].number = missing ? NAN : value;
				break;
			case SLOT_MISSING_LEFT:
				row[s].number = missing ? -INFINITY : value;
				break;
			case SLOT_IS_MISSING:
				row[s].number = missing ? -INFINITY : NAN;
				break;
			default:
				row[s].code = missing ? 0 : value >= 0 && value < EX_MAX_LEVELS ?
					(uint64_t) value + 2 : 1;
		}
	}
}

/* Is the bit of a set test 0?  (of no use, but harmless, for a number) */
static inline uint32_t
set_goes_right(const uint64_t *bits, uint64_t set, uint64_t code)
{
	uint64_t	largest = set >> 32;

	code = code < largest ? code : largest;
	return ~(bits[(uint32_t) set + code / 64] >> (code % 64)) & 1;
}

static inline int32_t
step(const walk_node *node, const slot_value *row, const uint64_t *bits)
{
	uint32_t	right;

	if (bits == NULL)
		right = !(row[node->slot].number <= node->value.number);
	else
	{
		/*
		 * both tests, without a branch; a number looks at the first set's
		 * first bit
		 */
		slot_value	x = row[node->slot &~SET_TEST];
		uint64_t	is_set = -(uint64_t) (node->slot >>31);
		uint32_t	in_set = set_goes_right(bits, node->value.set & is_set, x.code & is_set);
		uint32_t	number = !(x.number <= node->value.number);

		right = (in_set & (uint32_t) is_set) | (number & ~(uint32_t) is_set);
	}
	return node->left + (int32_t) right;
}

/* Walks from at[] to leaves; lane j reads the row at row + j * stride. */
static inline void
walk(const walk_node *node, const slot_value *row, size_t stride, const uint64_t *bits,
	 uint32_t depth, int32_t at[LANES])
{
	bool		moving = true;

	for (uint32_t d = 0; d < depth && moving; d++)
	{
		int32_t		moved = 0;

#pragma GCC unroll 16
		for (int j = 0; j < LANES; j++)
		{
			int32_t		next = step(node + at[j], row + j * stride, bits);

			moved |= next ^ at[j];
			at[j] = next;
		}
		moving = moved != 0;
	}
}

static void
walk_lanes(const ex_tree_walker *walker, size_t stride, uint32_t depth, int32_t at[LANES])
{
	/* two copies of the loop, so that numbers do not pay for sets */
	if (walker->bits == NULL)
		walk(walker->node, walker->row, stride, NULL, depth, at);
	else
		walk(walker->node, walker->row, stride, walker->bits, depth, at);
}

/* ----------------------------------------------------------------
 * Leaves and sums
 * ---------------------------------------------------------------- */

double
ex_tree_leaf_value(const ex_tree_view *view, const ex_node *node, const double *x)
{
	double		sum;

	if (node->left < 0)
		return node->value;
	sum = view->linear_const[node->left];
	for (uint32_t i = view->linear_start[node->left]; i < view->linear_start[node->left + 1]; i++)
	{
		double		value = x[view->linear_feature[i]];

		if (value != value)
			return node->value;
		sum += view->linear_coef[i] * value;
	}
	return sum;
}

static inline void
add_leaf(const ex_tree_view *view, uint32_t tree, const ex_node *leaf, const double *x, double *sum)
{
	double		weight = view->weight[tree];

	if (view->vector_leaves)
	{
		const double *vector = ex_tree_leaf_vector(view, leaf);

		for (uint32_t k = 0; k < view->n_outputs; k++)
			sum[k] += weight * vector[k];
	}
	else
		sum[view->output[tree]] += weight * ex_tree_leaf_value(view, leaf, x);
}

/* The same for a leaf that the walker has reached, where weight * value is ready. */
static inline void
add_walked(const ex_tree_state *state, uint32_t tree, int32_t leaf, const double *x, double *sum)
{
	const ex_tree_view *view = &state->view;

	if (view->vector_leaves || view->n_linear > 0)
		add_leaf(view, tree, view->node + leaf, x, sum);
	else
		sum[view->output[tree]] += state->walker->node[leaf].value.number;
}

static void
finish(const ex_tree_state *state, double *raw)
{
	for (uint32_t k = 0; k < state->view.n_outputs; k++)
		raw[k] = state->view.base[k] + raw[k] / state->divisor[k];
}

/* ----------------------------------------------------------------
 * One row, a tile of rows, and a model that has no walker
 * ---------------------------------------------------------------- */

static ex_status
predict_row(const ex_tree_state *state, ex_host *host, const double *x, double *raw)
{
	const ex_tree_view *view = &state->view;

	fill_slots(state->walker, x, state->walker->row);
	memset(raw, 0, view->n_outputs * sizeof(double));
	for (uint32_t t = 0; t < view->n_trees; t += LANES)
	{
		uint32_t	lanes = view->n_trees - t < LANES ? view->n_trees - t : LANES;
		uint32_t	depth = 0;
		int32_t		at[LANES];

		for (uint32_t j = 0; j < LANES; j++)
		{
			uint32_t	tree = t + (j < lanes ? j : 0);

			at[j] = (int32_t) view->root[tree];
			depth = state->depth[tree] > depth ? state->depth[tree] : depth;
		}
		walk_lanes(state->walker, 0, depth, at);
		for (uint32_t j = 0; j < lanes; j++)
			add_walked(state, t + j, at[j], x, raw);
		if (t % POLL_TREES == 0)
			EX_TRY(ex_poll(host));
	}
	finish(state, raw);
	return EX_OK;
}

static ex_status
predict_tile(const ex_tree_state *state, ex_host *host, const double *x, double *raw)
{
	const ex_tree_view *view = &state->view;
	const ex_tree_walker *walker = state->walker;

	for (uint32_t j = 0; j < LANES; j++)
		fill_slots(walker, x + (size_t) j * view->n_features, walker->row + (size_t) j * walker->n_slots);
	memset(raw, 0, (size_t) LANES * view->n_outputs * sizeof(double));
	for (uint32_t t = 0; t < view->n_trees; t++)
	{
		int32_t		at[LANES];

		for (uint32_t j = 0; j < LANES; j++)
			at[j] = (int32_t) view->root[t];
		walk_lanes(walker, walker->n_slots, state->depth[t], at);
		for (uint32_t j = 0; j < LANES; j++)
			add_walked(state, t, at[j], x + (size_t) j * view->n_features,
					   raw + (size_t) j * view->n_outputs);
		if (t % (POLL_TREES / LANES) == 0)
			EX_TRY(ex_poll(host));
	}
	for (uint32_t j = 0; j < LANES; j++)
		finish(state, raw + (size_t) j * view->n_outputs);
	return EX_OK;
}

static ex_status
predict_plain(const ex_tree_state *state, ex_host *host, const double *x, double *raw)
{
	const ex_tree_view *view = &state->view;

	memset(raw, 0, view->n_outputs * sizeof(double));
	for (uint32_t t = 0; t < view->n_trees; t++)
	{
		add_leaf(view, t, ex_tree_find_leaf(view, t, x), x, raw);
		if (t % (POLL_TREES / LANES) == 0)
			EX_TRY(ex_poll(host));
	}
	finish(state, raw);
	return EX_OK;
}

/*
 * raw[n * K] of the feature vectors x[n * p], NaN = missing.  Every row gets
 * the same bits alone and among others, with a walker and without.
 */
ex_status
ex_tree_predict_raw(ex_compiled *compiled, ex_host *host, const double *x, size_t n, double *raw)
{
	ex_tree_state *state = ex_tree_state_of(compiled);
	size_t		p = state->view.n_features;
	size_t		outputs = state->view.n_outputs;
	size_t		i = 0;

	if (state->walker == NULL && !state->no_walker)
		EX_TRY(make_walker(compiled, host, state));
	if (state->walker == NULL)
	{
		for (; i < n; i++)
			EX_TRY(predict_plain(state, host, x + i * p, raw + i * outputs));
		return EX_OK;
	}
	for (; i + LANES <= n; i += LANES)
		EX_TRY(predict_tile(state, host, x + i * p, raw + i * outputs));
	for (; i < n; i++)
		EX_TRY(predict_row(state, host, x + i * p, raw + i * outputs));
	return EX_OK;
}
