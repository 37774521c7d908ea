#!/usr/bin/python3
"""Writes the graphs of this folder, none of which can be read: make.py FOLDER"""
import math
import os
import sys

import numpy as np
import onnx
from onnx import TensorProto as T, helper as h, numpy_helper as nh

OUT=os.path.join(sys.argv[1],'')
F=np.float32
def ninit(name,a): return nh.from_array(np.asarray(a),name)
def vi(name,t,shape): return h.make_tensor_value_info(name,t,shape)

N=None; M='ai.onnx.ml'
def put(name,nodes,inputs=None,outputs=None,inits=[],opset=13):
    g=h.make_graph(nodes,name,inputs or [vi('x',T.FLOAT,[N,2])],outputs or [vi('y',T.FLOAT,[N,1])],inits)
    m=h.make_model(g,opset_imports=[h.make_opsetid('',opset),h.make_opsetid(M,3)],producer_name='explain_ext-samples'); m.ir_version=8
    b=m.SerializeToString(); open(OUT+name+'.onnx','wb').write(b); return m
W=ninit('W',np.array([[1.],[2.]],F))
put('svm',[h.make_node('SVMRegressor',['x'],['y'],name='my svm',domain=M,coefficients=[1.],rho=[0.],support_vectors=[1.,2.],kernel_type='LINEAR',n_supports=1)])
put('custom_domain',[h.make_node('Relu',['x'],['y'],name='r',domain='com.example')])
put('unknown_operator',[h.make_node('MatMul',['x','W'],['m']),h.make_node('Hardmax',['m'],['y'],name='hm')],inits=[W])
m=put('external',[h.make_node('MatMul',['x','W'],['y'])],inits=[W]); t=m.graph.initializer[0]; t.ClearField('raw_data'); t.data_location=1; e=t.external_data.add(); e.key='location'; e.value='w.bin'; open(OUT+'external.onnx','wb').write(m.SerializeToString())
put('normalizer',[h.make_node('Normalizer',['x'],['z'],name='norm',domain=M,norm='L2'),h.make_node('MatMul',['z','W'],['y'])],inits=[W])
put('imputer_marker',[h.make_node('Imputer',['x'],['z'],domain=M,imputed_value_floats=[1.,2.],replaced_value_float=-999.),h.make_node('MatMul',['z','W'],['y'])],inits=[W])
tr=dict(nodes_treeids=[0,0,0],nodes_nodeids=[0,1,2],nodes_featureids=[0,0,0],nodes_modes=['BRANCH_LEQ','LEAF','LEAF'],nodes_values=[.5,0.,0.],nodes_truenodeids=[1,0,0],nodes_falsenodeids=[2,0,0],target_treeids=[0,0],target_nodeids=[1,2],target_ids=[0,0],target_weights=[1.,2.],n_targets=1)
def tree(name,**k):
    a=dict(tr); a.update(k); put(name,[h.make_node('TreeEnsembleRegressor',['x'],['y'],name='trees',domain=M,**a)])
tree('tree_min',aggregate_function='MIN'); tree('tree_probit',post_transform='PROBIT'); tree('tree_mode',nodes_modes=['BRANCH_LIKE','LEAF','LEAF'])
tree('tree_cycle',nodes_truenodeids=[0,0,0]); tree('tree_two_parents',nodes_truenodeids=[2,0,0],nodes_modes=['BRANCH_LEQ','LEAF','BRANCH_LEQ'],nodes_falsenodeids=[2,0,1])
tree('tree_no_child',nodes_truenodeids=[7,0,0]); tree('tree_nan',nodes_values=[math.nan,0.,0.]); tree('tree_feature',nodes_featureids=[5,0,0]); tree('tree_twice',nodes_nodeids=[0,1,1]); tree('tree_leaf_inf',target_weights=[math.inf,2.]); tree('tree_length',nodes_values=[.5,0.])
tree('tree_target',target_ids=[0,3])
put('order',[h.make_node('Relu',['m'],['y'],name='late'),h.make_node('MatMul',['x','W'],['m'])],inits=[W])
put('two_outputs',[h.make_node('MatMul',['x','W'],['y']),h.make_node('Relu',['y'],['z'])],outputs=[vi('y',T.FLOAT,[N,1]),vi('z',T.FLOAT,[N,1])],inits=[W])
put('unknown_columns',[h.make_node('MatMul',['x','W'],['y'])],inputs=[vi('x',T.FLOAT,[N,N])],inits=[W])
put('huge_input',[h.make_node('Relu',['x'],['y'])],inputs=[vi('x',T.FLOAT,[N,1<<40])])
put('huge_constant',[h.make_node('ConstantOfShape',['s'],['c']),h.make_node('Add',['x','c'],['y'])],inits=[ninit('s',np.array([1<<40]))])
put('mixes_rows',[h.make_node('Transpose',['x'],['t'],perm=[1,0]),h.make_node('Relu',['t'],['y'])])
put('weights',[h.make_node('Gemm',['x','W3'],['y'],name='dense')],inits=[ninit('W3',np.ones((3,1),F))])
put('only_columns',[h.make_node('Scaler',['x'],['y'],domain=M,offset=[1.],scale=[2.])])
put('scale_zero',[h.make_node('Scaler',['x'],['z'],domain=M,offset=[1.],scale=[0.]),h.make_node('MatMul',['z','W'],['y'])],inits=[W])
put('tanh_gelu',[h.make_node('MatMul',['x','W'],['m']),h.make_node('Gelu',['m'],['y'],approximate='tanh')],inits=[W],opset=20)
put('string_tensor',[h.make_node('MatMul',['x','W'],['y'])],inputs=[vi('x',T.STRING,[N,2])],inits=[W])
put('pad_reflect',[h.make_node('Pad',['x','p'],['q'],name='border',mode='reflect'),h.make_node('GlobalMaxPool',['q'],['y'])],inputs=[vi('x',T.FLOAT,[N,1,4,4])],inits=[ninit('p',np.array([0,0,1,1,0,0,1,1]))])
put('nonfinite',[h.make_node('MatMul',['x','Wn'],['m']),h.make_node('Relu',['m'],['y'])],inits=[ninit('Wn',np.array([[math.nan],[1.]],F))])
