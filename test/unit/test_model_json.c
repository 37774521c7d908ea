/*
 * test_model_json.c
 *		The JSON form of models: documented examples, shorthands, every bit back,
 *		every refusal, limits, and too little memory.
 */
#include <dirent.h>
#include <float.h>

#include "linear_test.h"

/* ---------------------------------------------------------------- round trip */

static void
round_trip(const ex_model *model, const char *name)
{
	ex_buffer	text = {0};
	ex_model   *again;

	if (!is_status(host, ex_model_to_json(host, model, &text), EX_OK, "%s: written", name) ||
		!is_status(host, ex_model_from_json(host, text.data, text.size, &again), EX_OK, "%s: read back", name))
		return;
	is_same(again, model, model->size, "%s: the same bytes", name);
}

static void
test_examples(void)
{
	DIR		   *folder = opendir("doc/examples");
	struct dirent *entry;
	int			n = 0;

	if (!ok(folder != NULL, "doc/examples is there"))
		return;
	while ((entry = readdir(folder)) != NULL)
	{
		char		path[512];
		size_t		size;
		char	   *text;
		ex_model   *model;

		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "doc/examples/%s", entry->d_name);
		text = golden_file(host, path, &size);
		if (is_status(host, ex_model_from_json(host, text, size, &model), EX_OK, "%s: read", path))
			round_trip(model, path);
		n++;
	}
	closedir(folder);
	ok(n >= 6, "there is more than one example for each family");
}

/* What the text of the documentation says about its examples. */
static void
test_example_predictions(void)
{
	static const struct
	{
		const char *file;
		double		x[3];
		uint32_t	output;
		double		response;
	}			cases[] = {
		{"linear", {40, 1}, 0, 0.5},	/* -1.5 + 0.8 + 0.7 = 0 */
		{"linear-columns", {70, NAN, 1}, 0, 0.16529888822158653},	/* exp(-2.1 + 0.2 - 0.25 + 0.05 + 0.3) */
		{"linear-pipeline", {70.4, 0}, 0, 0.5670929049654543},
		{"tree", {40, 0}, 0, 0.3100255188723876},	/* -0.4 - 0.5 + 0.1 = -0.8 */
		{"tree-forest", {3, 1}, 1, 0.95},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
	{
		char		path[256];
		size_t		size;
		char	   *text;
		ex_model   *model;
		double		raw[4];

		snprintf(path, sizeof(path), "doc/examples/%s.json", cases[i].file);
		text = golden_file(host, path, &size);
		if (ex_model_from_json(host, text, size, &model) != EX_OK)
			continue;			/* noticed above */
		predict(compile(model), cases[i].x, 1, raw);
		ex_response(model, raw, raw);
		is_near(raw[cases[i].output], cases[i].response, 1e-14, "%s predicts", path);
	}
}

/* ---------------------------------------------------------------- shorthands */

#define ONE "{'family':'linear','features':['x','y'],'outputs':['0'],'link':'identity',"
#define TWO "{'family':'linear','features':['x',{'name':'c','levels':['a','b']}],'outputs':['p','q'],"

static const char *const same[][2] = {
	{ONE "'intercept':0,'coefficients':{'x':1,'y':2}}", "{'family':'linear','features':['x','y'],'coefficients':[1,2]}"},
	{ONE "'coefficients':[[1,2]]}", ONE "'coefficients':[{'y':2,'x':1}]}"},
	{ONE "'coefficients':{'y':2}}", ONE "'columns':[{'feature':'y','coefficient':2}]}"},
	{ONE "'coefficients':{'y':2}}", ONE "'columns':[{'feature':1,'indicator':false,'coefficient':[2]}],'link_param':1.0}"},
	{ONE "'coefficients':{'y':2}}", " { \"features\" : [ { \"name\" : \"\\u0078\" , \"kind\" : \"numeric\" , \"missing\":\"error\","
	"\"unknown\":\"error\",\"flags\":[] },\"y\"],\"outputs\":1,\"coefficients\":{\"y\":2.0e0},\"family\":\"linear\"}\t "},
	{TWO "'intercept':[1,2],'coefficients':{'p':{'x':3},'q':{'c':{'b':4}}}}",
	TWO "'intercept':[1,2],'coefficients':[{'x':3},{'c':{'b':4}}]}"},
	{TWO "'intercept':[1,2],'coefficients':{'q':{'c':{'b':4}},'p':{'x':3}}}",
	TWO "'intercept':[1,2],'columns':[{'feature':'c','level':1,'coefficient':[0,4]},{'feature':'x','coefficient':[3,0]}]}"},
	{"{'family':'linear','features':['x'],'outputs':3,'coefficients':[[1],[2],[3]]}",
	"{'family':'linear','features':['x'],'outputs':['0','1','2'],'coefficients':[[1],[2],[3]]}"},
	{"{'family':'linear','features':[{'name':'x','missing':'native'}],'coefficients':[1]}",
	"{'family':'linear','features':[{'name':'x','missing':'native'}],'columns':[{'feature':'x','missing':0,'coefficient':1}]}"},
	{"{'family':'linear','features':[{'name':'f','kind':'boolean','missing':{'impute':true}}],'coefficients':[1]}",
	"{'family':'linear','features':[{'name':'f','kind':'boolean','missing':{'impute':1}}],'columns':[{'feature':'f','missing':1,'coefficient':1}]}"},
	{"{'family':'linear','features':[{'name':'c','levels':['a','b'],'missing':{'impute':'b'}}],'coefficients':{'c':{'a':1}}}",
	"{'family':'linear','features':[{'name':'c','kind':'categorical','levels':['a','b'],'missing':{'impute':1}}],'coefficients':{'c':{'a':1}}}"},
	{ONE "'coefficients':[1,2],'background':{'rows':[[1,2],[3,4]]}}",
	ONE "'coefficients':[1,2],'background':{'rows':[[1,2],[3,4]],'weights':[1,1],'count':2,'statistics':["
	"{'n':2,'mean':2,'sd':1.4142135623730951,'min':1,'max':3,'missing':0},{'n':2,'mean':3,'sd':1.4142135623730951,'min':2,'max':4}]}}"},
	{TWO "'coefficients':[{'x':1},{}],'background':{'rows':[[1,'b'],[1,'a'],[1,'b']]}}",
	TWO "'coefficients':[{'x':1},{}],'background':{'rows':[[1,1],[1,0],[1,1]],'statistics':["
	"{'n':3,'mean':1,'sd':0,'min':1,'max':1},{'n':3,'mean':null,'levels':[1,2]}]}}"},
};

static void
test_shorthands(void)
{
	for (size_t i = 0; i < sizeof(same) / sizeof(same[0]); i++)
	{
		ex_model   *one;
		ex_model   *two;

		if (is_status(host, read_document(same[i][0], &one), EX_OK, "%s", same[i][0]) &&
			is_status(host, read_document(same[i][1], &two), EX_OK, "is the same as %s", same[i][1]))
			is_same(two->digest, one->digest, 16, "indeed");
	}
}

/* ---------------------------------------------------------------- all bits */

static double
random_number(void)
{
	static const double special[] = {0, -0.0, 5e-324, -5e-324, DBL_MIN, DBL_MAX, -DBL_MAX, 1, 0.1, 1e22, 1e23,
	9007199254740993.0, 1 / 3.0, 2.2250738585072011e-308};
	double		value;
	uint64_t	bits = random_bits();

	if (random_below(3) == 0)
		return special[random_below(sizeof(special) / sizeof(special[0]))];
	memcpy(&value, &bits, sizeof(value));
	return isfinite(value) ? value : 1;
}

/* 1 to 8 characters, of one to four bytes, quotes and controls among them */
static size_t
random_name(char *name)
{
	static const char *const characters[] = {"a", "B", "\"", "'", "\\", "\n", "\t", "\x01", "%s", ";", " ", "/",
	"\x7f", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xef\xbf\xbf"};
	size_t		length = 0;

	for (uint32_t n = 1 + random_below(8); n > 0; n--)
	{
		const char *character = characters[random_below(sizeof(characters) / sizeof(characters[0]))];

		memcpy(name + length, character, strlen(character));
		length += strlen(character);
	}
	name[length] = '\0';
	return length;
}

/* distinct: ends in its number */
static size_t
random_distinct_name(char *name, uint32_t i)
{
	size_t		length = random_name(name);

	return length + (size_t) snprintf(name + length, 12, "%u", i);
}

static void
put_random_feature(ex_builder *builder, uint32_t i)
{
	char		name[64];
	char		level[4][64];
	const char *levels[4] = {level[0], level[1], level[2], level[3]};
	ex_feature	feature = {.name = name,.name_length = random_distinct_name(name, i)};

	feature.kind = (ex_feature_kind) random_below(3);
	feature.missing = (ex_missing_policy) random_below(3);
	if (feature.missing != EX_MISSING_ERROR || random_below(2))
		feature.unknown = (ex_unknown_policy) random_below(feature.missing != EX_MISSING_ERROR ? 3 : 2);
	feature.flags = (uint8_t) (random_below(4) << 1);
	feature.impute = feature.kind == EX_NUMERIC ? random_number() : random_below(2) ? 1 : random_below(2) ? 0 : -0.0;
	if (feature.kind == EX_CATEGORICAL)
	{
		feature.n_levels = 2 + random_below(3);
		for (uint32_t l = 0; l < 4; l++)
			random_distinct_name(level[l], l);
		if (random_below(2))
			feature.levels = levels;
	}
	ex_put_feature(builder, &feature);
}

static void
put_random_columns(ex_builder *builder)
{
	const uint8_t *kind = (const uint8_t *) builder->section[EX_FEATURE_KIND].data;
	const uint8_t *missing = (const uint8_t *) builder->section[EX_FEATURE_MISSING].data;
	uint32_t	p = builder->n_features;
	ex_column  *column = host->alloc(host, 4 * p * sizeof(ex_column));
	size_t		n = 0;
	size_t		side;
	double	   *number;
	ex_linear_design design;

	for (uint32_t f = 0; f < p; f++)
	{
		bool		native = missing[f] == EX_MISSING_NATIVE;

		if (random_below(5) == 0 && n > 0)
			continue;
		column[n++] = (ex_column) {.feature = f,.kind = kind[f] == EX_CATEGORICAL ? EX_COLUMN_LEVEL_IS : EX_COLUMN_VALUE,
			.level = kind[f] == EX_CATEGORICAL ? random_below(2) : 0,.missing = native && random_below(2) ? random_number() : NAN};
		if (kind[f] == EX_NUMERIC && random_below(2))
			column[n++] = (ex_column) {.feature = f,.kind = EX_COLUMN_BIN,.low = random_below(2) ? -INFINITY : -0.5,
				.high = random_below(2) ? INFINITY : 5e-324,.missing = native && random_below(2) ? random_number() : NAN};
		if (native && random_below(2))
			column[n++] = (ex_column) {.feature = f,.kind = EX_COLUMN_ISNULL,.missing = NAN};
	}
	side = builder->n_outputs * (n + 1);
	number = host->alloc(host, 2 * side * (side + 2) * sizeof(double));
	for (size_t i = 0; i < 2 * side * (side + 2); i++)
		number[i] = random_number();
	design = (ex_linear_design) {n, column, number, number + side, NULL, NULL};
	if (random_below(3) == 0)
	{
		double	   *error = number + 2 * side;

		for (size_t i = 0; i < side; i++)
			error[i] = random_below(3) ? fabs(error[i]) : NAN;
		design.standard_error = error;
	}
	if (random_below(3) == 0)
	{
		double	   *covariance = number + 3 * side;

		for (size_t i = 0; i < side; i++)
			for (size_t j = 0; j <= i; j++)
				covariance[j * side + i] = covariance[i * side + j] =
					i == j ? fabs(covariance[i * side + i]) : covariance[i * side + j];
		design.covariance = covariance;
	}
	ex_linear_put(builder, &design);
}

static void
put_random_background(ex_builder *builder)
{
	const uint8_t *kind = (const uint8_t *) builder->section[EX_FEATURE_KIND].data;
	const uint8_t *missing = (const uint8_t *) builder->section[EX_FEATURE_MISSING].data;
	uint32_t	p = builder->n_features;
	uint32_t	n = 1 + random_below(4);
	double	   *row = host->alloc(host, n * p * sizeof(double));
	double		weight[4] = {1, 0.1, 1e300, 3};

	for (uint32_t i = 0; i < n * p; i++)
	{
		row[i] = kind[i % p] == EX_NUMERIC ? random_unit() * random_below(3) : random_below(2);
		if (missing[i % p] == EX_MISSING_NATIVE && random_below(3) == 0)
			row[i] = NAN;
	}
	ex_put_background(builder, row, n, random_below(2) ? weight : NULL);
}

static void
test_all_bits(void)
{
	int			bad = 0;

	for (int trial = 0; trial < 2000; trial++)
	{
		ex_builder	builder;
		ex_model   *model;
		ex_model   *again;
		ex_buffer	text = {0};

		ex_builder_init(&builder, host, EX_LINEAR);
		builder.n_outputs = 1 + random_below(3);
		builder.link = builder.n_outputs > 1 ? (ex_link) random_below(EX_N_LINKS) : EX_LINK_LOGIT;
		builder.link_param = random_below(2) ? 1 : fabs(random_number()) + 5e-324;
		if (!isfinite(builder.link_param))
			builder.link_param = 1;
		for (uint32_t k = 0; k < builder.n_outputs; k++)
		{
			char		name[64];

			ex_put_name(&builder, EX_OUTPUT_NAME_START, name, random_distinct_name(name, k));
		}
		for (uint32_t i = 0, p = 1 + random_below(5); i < p; i++)
			put_random_feature(&builder, i);
		put_random_columns(&builder);
		if (random_below(2))
			put_random_background(&builder);
		if (ex_build(&builder, &model) != EX_OK || ex_model_to_json(host, model, &text) != EX_OK ||
			ex_model_from_json(host, text.data, text.size, &again) != EX_OK ||
			again->size != model->size || memcmp(again, model, model->size) != 0)
		{
			if (bad++ == 0)
				printf("# %s | %.*s\n", host->error.message, (int) text.size, text.data);
		}
	}
	is_int(bad, 0, "2000 random models come back with every bit");
}

/* ---------------------------------------------------------------- refusals */

static const struct
{
	const char *name;
	ex_status	status;
}			statuses[] = {
	{"SYNTAX", EX_SYNTAX},
	{"INVALID", EX_INVALID},
	{"NULL", EX_NULL},
	{"RANGE", EX_RANGE},
	{"DIMENSION", EX_DIMENSION},
	{"DUPLICATE", EX_DUPLICATE_KEY},
	{"LIMIT", EX_LIMIT}
};

static ex_status
status_of(const char *name)
{
	for (size_t i = 0; i < sizeof(statuses) / sizeof(statuses[0]); i++)
		if (strcmp(name, statuses[i].name) == 0)
			return statuses[i].status;
	printf("Bail out! unknown status %s\n", name);
	exit(2);
}

static void
test_refusals(void)
{
	size_t		size;
	char	   *at = golden_file(host, "test/data/json/refused.tsv", &size);
	char	   *end = at + size;

	while (at < end)
	{
		char	   *line = at;
		char	   *field[4];
		ex_model   *model;

		at = strchr(at, '\n');
		*at++ = '\0';
		if (line[0] == '#')
			continue;
		for (int i = 0; i < 4; i++)
		{
			field[i] = line;
			if (i < 3)
			{
				line = strchr(line, '\t');
				*line++ = '\0';
			}
		}
		is_status(host, read_document(field[3], &model), status_of(field[0]), "%s", field[3]);
		if (strcmp(field[2], "*") != 0)
			is_text(host->error.message, field[2], "message");
	}
}

/* No beginning of a document is one, and none is read beyond its end. */
static void
test_truncation(void)
{
	static const char *const files[] = {"linear", "linear-columns", "linear-pipeline", "tree"};

	for (int i = 0; i < 4; i++)
	{
		char		path[256];
		size_t		size;
		char	   *text;
		int			accepted = 0;

		snprintf(path, sizeof(path), "doc/examples/%s.json", files[i]);
		text = golden_file(host, path, &size);
		while (text[size - 1] != '}')
			size--;
		for (size_t n = 0; n < size; n++)
		{
			char	   *part = malloc(n + 1);
			ex_model   *model;

			/* the sanitizer sees the end of this block */
			memcpy(part, text, n);
			part = realloc(part, n > 0 ? n : 1);
			accepted += ex_model_from_json(host, part, n, &model) != EX_SYNTAX;
			free(part);
		}
		is_int(accepted, 0, "%s: every shorter text is a syntax error", path);
	}
}

/* ---------------------------------------------------------------- limits */

static void
test_limits(void)
{
	ex_model   *model;
	ex_buffer	text = {0};
	char		name[1100];

	is_status(host, ex_model_from_json(host, "{}", EX_MAX_TEXT_SIZE + 1, &model), EX_LIMIT, "a text of 400 MB and a byte");
	ok(strstr(host->error.detail, "400000000") != NULL, "names the limit");

	memset(name, 'n', sizeof(name));
	for (int length = 1024; length <= 1025; length++)
	{
		text.size = 0;
		ex_appendf(host, &text, "{\"family\":\"linear\",\"features\":[\"%.*s\"],\"coefficients\":[1]}", length, name);
		is_status(host, ex_model_from_json(host, text.data, text.size, &model), length > 1024 ? EX_LIMIT : EX_OK,
				  "a name of %d bytes", length);
	}

	text.size = 0;
	ex_append_text(host, &text, "{\"family\":\"linear\",\"features\":[");
	for (int i = 0; i < 65536; i++)
		ex_appendf(host, &text, "%s\"f%d\"", i > 0 ? "," : "", i);
	ex_append_text(host, &text, "],\"coefficients\":[]}");
	is_status(host, ex_model_from_json(host, text.data, text.size, &model), EX_LIMIT, "65536 features");

	text.size = 0;
	ex_append_text(host, &text, "{\"family\":");
	for (int i = 0; i < 1000000; i++)
		ex_append_text(host, &text, "[");
	is_status(host, ex_model_from_json(host, text.data, text.size, &model), EX_LIMIT, "nested a million deep");
}

/* As wide as a model can be, by name: linear time, or this test takes minutes. */
static void
test_width(void)
{
	ex_buffer	text = {0};
	ex_model   *model;

	ex_append_text(host, &text, "{\"family\":\"linear\",\"features\":[");
	for (int i = 0; i < 65535; i++)
		ex_appendf(host, &text, "%s{\"name\":\"f%d\",\"levels\":[\"a\",\"b\"]}", i > 0 ? "," : "", i);
	ex_append_text(host, &text, "],\"coefficients\":{");
	for (int i = 65534; i >= 0; i--)
		ex_appendf(host, &text, "\"f%d\":{\"b\":%d}%s", i, i, i > 0 ? "," : "}}");
	if (is_status(host, ex_model_from_json(host, text.data, text.size, &model), EX_OK, "65535 categorical features"))
		round_trip(model, "65535 categorical features");
}

/* ---------------------------------------------------------------- memory, cancel */

static long polls;

static bool
stop_later(ex_host *unused)
{
	(void) unused;
	return --polls < 0;
}

static void
test_failing_host(void)
{
	size_t		size;
	char	   *text = golden_file(host, "doc/examples/linear-pipeline.json", &size);
	long		n = 0;
	ex_status	status = EX_MEMORY;

	for (; status == EX_MEMORY && n < 100000; n++)
	{
		ex_arena	small;
		ex_host    *poor = ex_arena_init(&small);
		ex_model   *model;
		ex_buffer	out = {0};

		small.fail_after = n;
		status = ex_model_from_json(poor, text, size, &model);
		if (status == EX_OK)
			status = ex_model_to_json(poor, model, &out);
		ex_arena_free(&small);
	}
	is_int(status, EX_OK, "each of %ld allocations may fail", n - 1);
	ok(n > 100, "there are many");

	for (n = 0, status = EX_CANCELLED; status == EX_CANCELLED && n < 100000; n++)
	{
		ex_arena	arena_;
		ex_host    *busy = ex_arena_init(&arena_);
		ex_model   *model;

		polls = n;
		busy->poll = stop_later;
		status = ex_model_from_json(busy, text, size, &model);
		ex_arena_free(&arena_);
	}
	is_int(status, EX_OK, "each of %ld questions may be answered with cancel", n - 1);
}

int
main(void)
{
	host = ex_arena_init(&arena);
	test_examples();
	test_example_predictions();
	test_shorthands();
	test_all_bits();
	test_refusals();
	test_truncation();
	test_limits();
	test_width();
	test_failing_host();
	ex_arena_free(&arena);
	return unit_done();
}
