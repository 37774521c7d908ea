/*
 * tree_align.c
 *		Tree models over the features of another model (model_align.h).
 */
#include <string.h>

#include "model_align.h"
#include "tree_family.h"

/* The set of a node with its levels in their new positions, as the next set. */
static ex_status
put_set(ex_builder *builder, const ex_tree_view *view, const ex_node *node, const uint32_t *level,
		uint32_t n_levels, uint32_t *word)
{
	uint32_t	set = (uint32_t) node->value;
	const uint32_t *old = view->set_word + view->set_start[set];
	uint32_t	n_old = view->set_start[set + 1] - view->set_start[set];
	uint32_t	used = 0;

	memset(word, 0, ((size_t) n_levels / 32 + 1) * sizeof(uint32_t));
	for (uint32_t l = 0; l < n_old * 32; l++)
		if (old[l / 32] >> (l % 32) & 1)
		{
			word[level[l] / 32] |= 1u << (level[l] % 32);
			if (level[l] / 32 + 1 > used)
				used = level[l] / 32 + 1;
		}
	EX_TRY(ex_put(builder, EX_TREE_SET_WORD, word, used));
	return ex_put_u32(builder, EX_TREE_SET_START, (uint32_t) ex_put_count(builder, EX_TREE_SET_WORD));
}

/* Sets are numbered in the order of their nodes, which does not change. */
static ex_status
align_sets(ex_builder *builder, const ex_tree_view *view, const ex_feature_map *map)
{
	const uint32_t *levels = (const uint32_t *) builder->section[EX_FEATURE_LEVELS].data;
	uint32_t	most = 0;
	uint32_t   *word;

	if (view->set_start == NULL)
		return EX_OK;
	for (uint32_t f = 0; f < builder->n_features; f++)
		if (levels[f] > most)
			most = levels[f];
	EX_TRY(EX_ALLOC(builder->host, (size_t) most / 32 + 1, &word));
	ex_drop(builder, EX_TREE_SET_START);
	ex_drop(builder, EX_TREE_SET_WORD);
	EX_TRY(ex_put_u32(builder, EX_TREE_SET_START, 0));
	EX_TRY(ex_put(builder, EX_TREE_SET_WORD, word, 0));
	for (uint32_t i = 0; i < view->n_nodes; i++)
	{
		const ex_node *node = &view->node[i];
		uint32_t	feature = EX_NODE_FEATURE(node);

		if (EX_NODE_OP(node) == EX_IN)
			EX_TRY(put_set(builder, view, node, map->level[feature], levels[map->feature[feature]], word));
		if (i % 4096 == 4095)
			EX_TRY(ex_poll(builder->host));
	}
	return EX_OK;
}

ex_status
ex_tree_align(ex_builder *builder, const ex_model *model, const ex_feature_map *map)
{
	ex_node    *node = (ex_node *) builder->section[EX_TREE_NODE].data;
	uint32_t   *term = (uint32_t *) builder->section[EX_TREE_LINEAR_FEATURE].data;
	size_t		n_terms = ex_put_count(builder, EX_TREE_LINEAR_FEATURE);
	ex_tree_view view;

	ex_tree_open(model, &view);
	for (uint32_t i = 0; i < view.n_nodes; i++)
		if (EX_NODE_OP(&node[i]) != EX_LEAF)
			node[i].info = (node[i].info & ~0x00ffffffu) | map->feature[EX_NODE_FEATURE(&node[i])];
	for (size_t t = 0; t < n_terms; t++)
		term[t] = map->feature[term[t]];
	return align_sets(builder, &view, map);
}
