/*
 * feature_groups.h
 *		Features that are explained together.
 *
 * A document {"group": ["feature", ...], ...} makes parts of the features:
 * the groups in the order of the document, then every feature that is in no
 * group, on its own, in feature order.
 */
#ifndef EX_FEATURE_GROUPS_H
#define EX_FEATURE_GROUPS_H

#include "json.h"
#include "model.h"

typedef struct ex_feature_groups
{
	uint32_t	n;				/* parts */
	uint32_t   *part;			/* p: the part of each feature */
	const char **name;			/* of a group, UTF-8; NULL: a feature alone */
	uint32_t   *size;			/* features of a part */
	uint32_t   *first;			/* the first of them */
} ex_feature_groups;

/*
 * From a JSON text.  EX_INVALID, naming group and feature, where a group is
 * empty, a feature is unknown or in two groups, or the document is no object
 * of arrays of names.
 */
extern ex_status ex_read_groups(ex_host *host, const ex_model *model, const char *text, size_t size,
								ex_feature_groups *groups);

/* Every feature on its own. */
extern ex_status ex_no_groups(ex_host *host, const ex_model *model, ex_feature_groups *groups);

#endif							/* EX_FEATURE_GROUPS_H */
