/*
 * summary.c
 *		explain.model_summary: what a person wants to know of a model, always short.
 */
#include "describe/describe.h"

#include "kernel/tree_family.h"
#include "lib/stringinfo.h"
#include "utils/builtins.h"
#include "utils/json.h"
#include "utils/jsonb.h"

#define SUMMARY_NAMES 20		/* features and outputs shown */

static void
add_key(StringInfo json, const char *key)
{
	appendStringInfo(json, "%s\"%s\": ", json->data[json->len - 1] == '{' ? "" : ", ", key);
}

static void
add_string(StringInfo json, const char *key, const char *value)
{
	add_key(json, key);
	escape_json(json, value);
}

static void
add_number(StringInfo json, const char *key, double value)
{
	add_key(json, key);
	appendStringInfo(json, "%.17g", value);
}

static void
add_count(StringInfo json, const char *key, uint64 value)
{
	add_key(json, key);
	appendStringInfo(json, UINT64_FORMAT, value);
}

static void
add_digest(StringInfo json, const ex_model *model)
{
	char		text[33];

	for (int i = 0; i < 16; i++)
		snprintf(text + 2 * i, 3, "%02x", model->digest[i]);
	add_string(json, "digest", text);
}

/* Counts of features by kind, and the first ones with theirs. */
static void
add_features(StringInfo json, const ex_model *model)
{
	const uint8 *kind = ex_get(model, EX_FEATURE_KIND, NULL);
	uint32		count[EX_CATEGORICAL + 1] = {0};

	for (uint32 i = 0; i < model->n_features; i++)
		count[kind[i]]++;
	add_count(json, "feature_count", model->n_features);
	add_key(json, "feature_kinds");
	appendStringInfoChar(json, '{');
	for (int k = EX_NUMERIC; k <= EX_CATEGORICAL; k++)
		if (count[k] > 0)
			add_count(json, feature_kind_name((ex_feature_kind) k), count[k]);
	appendStringInfoChar(json, '}');
	add_key(json, "features");
	appendStringInfoChar(json, '[');
	for (uint32 i = 0; i < Min(model->n_features, SUMMARY_NAMES); i++)
	{
		ex_feature	feature;
		char	   *name = model_name_text(model, EX_FEATURE_NAME_START, i);

		ex_get_feature(model, i, &feature);
		escape_json(json, feature.kind != EX_CATEGORICAL ?
					psprintf("%s (%s)", name, feature_kind_name(feature.kind)) :
					psprintf("%s (categorical, %u level%s)", name, feature.n_levels,
							 feature.n_levels == 1 ? "" : "s"));
		appendStringInfoString(json, ", ");
	}
	json->data[json->len -= 2] = '\0';
	appendStringInfoChar(json, ']');
}

static void
add_outputs(StringInfo json, const ex_model *model)
{
	add_count(json, "output_count", model->n_outputs);
	add_key(json, "outputs");
	appendStringInfoChar(json, '[');
	for (uint32 k = 0; k < Min(model->n_outputs, SUMMARY_NAMES); k++)
	{
		if (k > 0)
			appendStringInfoString(json, ", ");
		escape_json(json, model_name_text(model, EX_OUTPUT_NAME_START, k));
	}
	appendStringInfoChar(json, ']');
	add_string(json, "link", ex_link_names[model->link]);
	if (model->link_param != 1)
		add_number(json, "link_param", model->link_param);
}

static void
add_linear(StringInfo json, const ex_model *model)
{
	ex_linear_view view;

	ex_linear_open(model, &view);
	add_count(json, "coefficient_count", (uint64) view.n_columns * view.n_outputs);
	add_key(json, "standard_errors");
	appendStringInfoString(json, view.standard_error != NULL ? "true" : "false");
}

static void
add_trees(StringInfo json, const ModelEntry *entry)
{
	const ex_tree_state *state = ex_tree_state_of(entry->compiled);
	const ex_tree_view *view = &state->view;
	uint32		depth = 0;

	for (uint32 t = 0; t < view->n_trees; t++)
		depth = Max(depth, state->depth[t]);
	add_count(json, "tree_count", view->n_trees);
	add_count(json, "node_count", view->n_nodes);
	add_count(json, "depth", depth);
	add_string(json, "aggregation", entry->model->aggregation == EX_MEAN ? "mean" : "sum");
	add_key(json, "covers");
	appendStringInfoString(json, view->cover != NULL ? "true" : "false");
}

/* How many layers there are of each kind, how many numbers they have. */
static void
add_network(StringInfo json, const ex_model *model)
{
	ex_network_view view;
	uint32		count[EX_N_LAYER_KINDS] = {0};

	ex_network_open(model, &view);
	for (uint32 i = 0; i < view.n_layers; i++)
	{
		ex_layer	layer;

		ex_network_layer(&view, i, &layer);
		count[layer.kind]++;
	}
	add_key(json, "input_shape");
	if (view.is_image)
		appendStringInfo(json, "[%u, %u, %u]", view.input.channels, view.input.height, view.input.width);
	else
		appendStringInfo(json, "[%u]", view.n_columns);
	add_count(json, "layer_count", view.n_layers - 1);
	add_key(json, "layer_kinds");
	appendStringInfoChar(json, '{');
	for (int kind = EX_LAYER_IS_INPUT + 1; kind < EX_N_LAYER_KINDS; kind++)
		if (count[kind] > 0)
			add_count(json, ex_layer_kind_names[kind], count[kind]);
	appendStringInfoChar(json, '}');
	add_count(json, "parameter_count", view.n_weights);
	add_string(json, "parameter_type", view.weight_f32 != NULL ? "float32" : "float64");
}

/* The methods of Shapley values that can run as the model is. */
static void
add_methods(StringInfo json, CallSite *site)
{
	const ex_family *family = site->entry->compiled->family;
	ex_background background;
	bool		first = true;

	ex_own_background(site->entry->model, &background);
	add_key(json, "shap_methods");
	appendStringInfoChar(json, '[');
	for (int i = 0; i < family->n_shap_methods; i++)
	{
		const ex_shap_method *method = &family->shap_methods[i];

		if (method->check(site->entry->compiled, site->host, EX_RAW, &background) != EX_OK)
			continue;
		appendStringInfo(json, "%s\"%s\"", first ? "" : ", ", method->name);
		first = false;
	}
	appendStringInfoChar(json, ']');
}

/* model_summary(model) */
static Datum
model_summary(FunctionCallInfo fcinfo, ModelSource source)
{
	CallSite   *site;
	const ex_model *model;
	StringInfoData json;
	uint32		rows;

	if (PG_ARGISNULL(0))
		PG_RETURN_NULL();
	site = call_site_model(fcinfo, source);
	model = site->entry->model;
	initStringInfo(&json);
	appendStringInfoChar(&json, '{');
	add_string(&json, "family", site->entry->compiled->family->name);
	add_digest(&json, model);
	add_count(&json, "bytes", model->size);
	add_features(&json, model);
	add_outputs(&json, model);
	switch (model->family)
	{
		case EX_LINEAR:
			add_linear(&json, model);
			break;
		case EX_TREE:
			add_trees(&json, site->entry);
			break;
		default:
			add_network(&json, model);
	}
	ex_get(model, EX_BACKGROUND_WEIGHT, &rows);
	add_count(&json, "background_rows", rows);
	add_methods(&json, site);
	appendStringInfoChar(&json, '}');
	return DirectFunctionCall1(jsonb_in, CStringGetDatum(json.data));
}

MODEL_OVERLOADS(model_summary);
