/*
 * network_family.c
 *		The network family's table of operations.
 */
#include "network_model.h"
#include "network_run.h"

static const ex_section_id network_sections[] = {
	EX_COLUMN_FEATURE, EX_COLUMN_KIND, EX_COLUMN_LEVEL, EX_COLUMN_LOW, EX_COLUMN_HIGH,
	EX_COLUMN_MISSING, EX_COLUMN_CENTER, EX_COLUMN_SCALE, EX_IMAGE_SHAPE,
	EX_CHANNEL_NAME_START, EX_CHANNEL_NAME_TEXT, EX_LAYER_NAME_START, EX_LAYER_NAME_TEXT,
	EX_LAYER_KIND, EX_LAYER_INPUT_START, EX_LAYER_INPUT, EX_LAYER_SHAPE, EX_LAYER_SETTING,
	EX_LAYER_NUMBER, EX_LAYER_WEIGHT_START, EX_LAYER_WEIGHT, EX_LAYER_WEIGHT_F32
};

const ex_family ex_network_family = {
	.id = EX_NETWORK,
	.name = "network",
	.sections = network_sections,
	.n_sections = sizeof(network_sections) / sizeof(network_sections[0]),
	.infers_outputs = true,
	.validate = ex_network_validate,
	.read_features = ex_network_read_features,
	.implies_features = ex_network_implies_features,
	.read_json = ex_network_read_json,
	.write_json = ex_network_write_json,
	.fold = ex_network_fold,
	.align = ex_network_align,
	.adapt = ex_network_adapt,
	.compile = ex_network_compile,
	.predict_raw = ex_network_predict_raw,
	.gradient_raw = ex_network_gradient_raw,
	.relevance_raw = ex_network_relevance_raw,
	.rescale_raw = ex_network_rescale_raw,
	.shap_methods = ex_network_shap_methods,
	.n_shap_methods = EX_NETWORK_N_SHAP_METHODS,
};
