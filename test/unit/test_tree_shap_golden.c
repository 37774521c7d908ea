/*
 * test_tree_shap_golden.c
 *		Shapley values of scikit-learn's and XGBoost's trees against float64
 *		values computed outside, from the definition (test/data/explanations).
 */
#include "golden.h"
#include "host_malloc.h"
#include "tree_game.h"
#include "tree_shap.h"
#include "unit.h"
#include "xgboost.h"

#define DATA "test/data/explanations/"
#define TOLERANCE 1e-12			/* of the sum over trees of max |leaf| */

static ex_arena arena;
static ex_host *host;

/* A header line and numbers; an empty cell is NaN. */
static golden_table
read_csv(const char *folder, const char *file)
{
	char		path[256];
	size_t		size;
	char	   *at;
	char	   *end;
	golden_table table;
	size_t		n = 0;

	snprintf(path, sizeof(path), DATA "%s/%s.csv", folder, file);
	at = golden_file(host, path, &size);
	end = strchr(at, '\n');
	table.columns = golden_count(at, end, ',') + 1;
	table.rows = golden_count(end + 1, at + size, '\n');
	table.value = host->alloc(host, (table.rows * table.columns + 1) * sizeof(double));
	for (at = end + 1; n < table.rows * table.columns; at++)
	{
		/* strtod would read on over the end of a line */
		table.value[n++] = *at == ',' || *at == '\n' ? NAN : strtod(at, &at);
	}
	return table;
}

/* A number in notes.json, or the first of a list. */
static double
note(const char *folder, const char *key, double otherwise)
{
	char		path[256];
	char		quoted[64];
	size_t		size;
	const char *text;

	snprintf(path, sizeof(path), DATA "%s/notes.json", folder);
	snprintf(quoted, sizeof(quoted), "\"%s\": ", key);
	text = strstr(golden_file(host, path, &size), quoted);
	if (text == NULL)
		return otherwise;
	text += strlen(quoted);
	return strtod(text + (*text == '['), NULL);
}

/* scikit-learn: nodes.csv, float32(x) <= threshold, -1 without children. */
static ex_model *
read_nodes(const char *folder, uint32_t n_features)
{
	enum
	{
		TREE, NODE, LEFT, RIGHT, FEATURE, THRESHOLD, COVER, VALUE
	};
	golden_table nodes = read_csv(folder, "nodes");
	ex_raw_node *node = host->alloc(host, nodes.rows * sizeof(*node));
	ex_raw_tree tree = {.weight = 1,.node = node};
	ex_builder	builder;
	ex_model   *model = NULL;

	ex_builder_init(&builder, host, EX_TREE);
	builder.n_outputs = 1;
	for (uint32_t f = 0; f < n_features; f++)
	{
		char		name[8];
		ex_feature	feature = {.name = name,.missing = EX_MISSING_ERROR};

		feature.name_length = (size_t) snprintf(name, sizeof(name), "c%u", f);
		(void) ex_put_feature(&builder, &feature);
	}
	(void) ex_put_f64(&builder, EX_TREE_BASE, 0);
	(void) ex_default_output_names(&builder);
	for (size_t i = 0; i < nodes.rows; i++)
	{
		const double *row = nodes.value + i * nodes.columns;
		bool		leaf = row[LEFT] < 0;

		node[tree.n_nodes++] = (ex_raw_node)
		{
			.op = leaf ? EX_LEAF : EX_LE,
				.feature = leaf ? 0 : (uint32_t) row[FEATURE],
				.threshold = leaf ? 0 : ex_fold_float32_le(row[THRESHOLD]),
				.left = (int32_t) row[LEFT],.right = (int32_t) row[RIGHT],
				.value = leaf ? row[VALUE] : 0,.cover = row[COVER],.gain = NAN
		};
		if (i + 1 == nodes.rows || row[nodes.columns + TREE] != row[TREE])
		{
			(void) ex_tree_add(&builder, &tree);
			tree.n_nodes = 0;
		}
	}
	(void) ex_build(&builder, &model);
	return model;
}

static ex_model *
read_xgboost(const char *folder)
{
	char		path[256];
	size_t		size;
	char	   *text;
	ex_builder	builder;
	ex_xgboost_note notes;
	ex_model   *model = NULL;

	snprintf(path, sizeof(path), DATA "%s/model.json", folder);
	text = golden_file(host, path, &size);
	if (ex_xgboost_read(host, EX_FORMAT_JSON, text, size, -1, &builder, &notes) == EX_OK)
		(void) ex_build(&builder, &model);
	return model;
}

/* Columns of a CSV against values or interactions of its rows; also that they add up. */
static void
compare(const char *folder, ex_compiled *compiled, const ex_shap_method *method, bool pairs,
		const char *file, const ex_background *background, const char *base_name)
{
	const ex_model *model = compiled->model;
	golden_table rows = read_csv(folder, "rows");
	golden_table expected = read_csv(folder, file);
	double	   *x = golden_vectors(host, model, &rows);
	double	   *phi = host->alloc(host, expected.columns * sizeof(double));
	double		scale = game_scale(compiled, 0);
	double		worst = 0;
	double		residual = 0;
	double		base = NAN;

	for (size_t i = 0; i < expected.rows; i++)
	{
		ex_shap_call call = {x + i * rows.columns, {0, 1}, EX_RAW, *background};
		double		sum = 0;
		double		raw;

		if ((pairs ? method->interactions : method->values) (compiled, host, &call, phi, &base) != EX_OK ||
			ex_tree_family.predict_raw(compiled, host, call.x, 1, &raw) != EX_OK)
			worst = INFINITY;
		for (size_t j = 0; j < expected.columns; j++)
		{
			double		error = fabs(phi[j] - expected.value[i * expected.columns + j]);

			worst = isnan(error) ? INFINITY : fmax(worst, error);
			sum += phi[j];
		}
		residual = fmax(residual, fabs(sum + base - raw));
	}
	is_near(worst / scale, 0, TOLERANCE, "%s: %zu rows of %s", folder, expected.rows, file);
	is_near(residual / scale, 0, TOLERANCE, "%s: they add up", folder);
	/* the reader takes XGBoost's base score in float32, as XGBoost does */
	base -= ex_tree_state_of(compiled)->view.base[0] - note(folder, "base_score_margin", 0);
	is_near(base, note(folder, base_name, NAN), TOLERANCE * scale, "%s: base value", folder);
}

static void
test_folder(const char *folder, ex_model *model, const char *interventional, uint32_t n_background,
			const char *base_name)
{
	golden_table background = read_csv(folder, "background");
	ex_background rows = {
		NULL, NULL, n_background > 0 ? n_background : (uint32_t) background.rows, NULL, NULL, true
	};
	ex_compiled *compiled;

	if (!ok(model != NULL && ex_compile(host, model, (size_t) 1 << 26, &compiled) == EX_OK,
			"%s: model", folder))
		return;
	rows.row = golden_vectors(host, model, &background);
	compare(folder, compiled, &ex_tree_shap_methods[0], false, "shap_path_dependent", &rows,
			base_name);
	compare(folder, compiled, &ex_tree_shap_methods[0], true, "interactions_path_dependent", &rows,
			base_name);
	compare(folder, compiled, &ex_tree_shap_methods[1], false, interventional, &rows,
			"expected_value_interventional");
}

int
main(void)
{
	host = ex_arena_init(&arena);
	test_folder("sk_tree", read_nodes("sk_tree", 10), "shap_interventional_first20_bg50", 50,
				"expected_value");
	test_folder("sk_forest", read_nodes("sk_forest", 10), "shap_interventional_first20_bg50", 50,
				"expected_value");
	test_folder("xgb_regression", read_xgboost("xgb_regression"), "shap_interventional", 0,
				"expected_value_margin");
	test_folder("xgb_binary", read_xgboost("xgb_binary"), "shap_interventional", 0,
				"expected_value_margin");
	test_folder("xgb_categorical", read_xgboost("xgb_categorical"), "shap_interventional", 0,
				"expected_value_margin");
	ex_arena_free(&arena);
	return unit_done();
}
