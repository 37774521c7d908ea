/*
 * family.c
 *		The families, and what is the same for all of them.
 */
#include <string.h>

#include "family.h"
#include "linear.h"
#include "network.h"
#include "tree_family.h"

static const ex_family *const families[] = {
	&ex_linear_family,
	&ex_tree_family,
	&ex_network_family
};

int
ex_family_count(void)
{
	return (int) (sizeof(families) / sizeof(families[0]));
}

const ex_family *
ex_family_at(int i)
{
	return families[i];
}

const ex_family *
ex_family_by_id(uint32_t id)
{
	for (int i = 0; i < ex_family_count(); i++)
		if ((uint32_t) families[i]->id == id)
			return families[i];
	return NULL;
}

const ex_family *
ex_family_by_name(const char *name, size_t length)
{
	for (int i = 0; i < ex_family_count(); i++)
		if (strlen(families[i]->name) == length && memcmp(families[i]->name, name, length) == 0)
			return families[i];
	return NULL;
}

ex_status
ex_compile(ex_host *host, const ex_model *model, size_t table_limit, ex_compiled **compiled)
{
	EX_TRY(EX_ALLOC(host, 1, compiled));
	(*compiled)->model = model;
	(*compiled)->family = ex_family_by_id(model->family);
	(*compiled)->host = host;
	(*compiled)->table_limit = table_limit;
	return (*compiled)->family->compile(*compiled);
}
