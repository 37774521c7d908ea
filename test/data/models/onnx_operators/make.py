#!/usr/bin/python3
"""Writes the models and rows of this folder, and jobs.json for run.js, which has
onnxruntime predict them:

    make.py FOLDER && node run.js FOLDER/jobs.json

Needs python3-onnx; run.js needs the npm package onnxruntime-node.  Tests need
neither: what they made is committed.
"""
import onnx, numpy as np, json, os, sys, math
from onnx import helper as h, TensorProto as T, numpy_helper as nh
OUT=os.path.join(sys.argv[1],''); os.makedirs(OUT,exist_ok=True)
rng=np.random.default_rng(7)
jobs=[]
F=np.float32
def ninit(name,a): return nh.from_array(np.asarray(a),name)
def vi(name,t,shape): return h.make_tensor_value_info(name,t,shape)
def save(name,nodes,inputs,outputs,inits,X,feeds,output,opset=13,ml=3,names=None,opt='all'):
    g=h.make_graph(nodes,name,inputs,outputs,inits)
    m=h.make_model(g,opset_imports=[h.make_opsetid('',opset),h.make_opsetid('ai.onnx.ml',ml)],producer_name='explain_ext-samples'); m.ir_version=8
    open(OUT+name+'.onnx','wb').write(m.SerializeToString())
    X=[list(r) for r in X]
    with open(OUT+name+'.X.csv','w') as f:
        p=len(X[0]); names=names or ['f%d'%i for i in range(p)]
        f.write('row_id,'+','.join(names)+'\n')
        for i,r in enumerate(X): f.write(str(i+1)+','+','.join('' if isinstance(v,float) and math.isnan(v) else (v if isinstance(v,str) else repr(v) if isinstance(v,int) else repr(float(v))) for v in r)+'\n')
    fj=[]
    for (nm,ty,dims,data) in feeds:
        d=[('nan' if isinstance(v,float) and math.isnan(v) else 'inf' if v==math.inf else '-inf' if v==-math.inf else v) for v in data]
        fj.append(dict(name=nm,type=ty,dims=dims,data=d))
    jobs.append(dict(model=OUT+name+'.onnx',feeds=fj,output=output,rows=len(X),out=OUT+name+'.ort_pred.csv',opt=opt))
def flt(X): return [float(F(v)) for r in X for v in r]
def probe(thr):
    out=[]
    for t in thr:
        t=float(t); f=F(t)
        out+= [t, np.nextafter(t,-np.inf), np.nextafter(t,np.inf), float(np.nextafter(f,F(-np.inf))), float(np.nextafter(f,F(np.inf))),
               (float(f)+float(np.nextafter(f,F(np.inf))))/2, (float(f)+float(np.nextafter(f,F(-np.inf))))/2]
    return out
class Ens:
    def __init__(s): s.n=[]  # dict rows
    def tree(s,tid,depth,p,modes,targets,thr=lambda f:rng.normal(),posleaf=False,one=None):
        rows=[]; 
        def rec(d):
            i=len(rows); rows.append(None)
            if d==0 or (d<depth and rng.random()<.1):
                tg=[one] if one is not None else targets
                rows[i]=dict(t=tid,i=i,mode='LEAF',f=0,v=0.0,y=0,n=0,tr=0,w=[(k,float(F(rng.random() if posleaf else rng.normal()))) for k in tg]); return i
            f=int(rng.integers(p)); r=dict(t=tid,i=i,mode=modes(f),f=f,v=thr(f),tr=int(rng.integers(2)),w=[])
            r['y']=rec(d-1); r['n']=rec(d-1); rows[i]=r; return i
        rec(depth); s.n+=rows
    def attrs(s,kind,double=False):
        n=s.n; pre='target' if kind=='r' else 'class'
        a=dict(nodes_treeids=[r['t'] for r in n],nodes_nodeids=[r['i'] for r in n],nodes_featureids=[r['f'] for r in n],nodes_modes=[r['mode'] if r['mode']=='LEAF' else 'BRANCH_'+r['mode'] for r in n],
          nodes_truenodeids=[r['y'] for r in n],nodes_falsenodeids=[r['n'] for r in n],nodes_missing_value_tracks_true=[r['tr'] for r in n],nodes_hitrates=[1.0]*len(n))
        W=[(r['t'],r['i'],k,w) for r in n for k,w in r['w']]
        a[pre+'_treeids']=[w[0] for w in W];a[pre+'_nodeids']=[w[1] for w in W];a[pre+'_ids']=[w[2] for w in W]
        if double:
            a['nodes_values_as_tensor']=h.make_tensor('v',T.DOUBLE,[len(n)],[r['v'] for r in n]); a[pre+'_weights_as_tensor']=h.make_tensor('w',T.DOUBLE,[len(W)],[w[3] for w in W]); del a['nodes_hitrates']
        else:
            a['nodes_values']=[float(F(r['v'])) for r in n]; a[pre+'_weights']=[w[3] for w in W]
        return a
def rows_for(e,p,extra=12,ints=(),nan=True):
    X=[]
    base=rng.normal(size=p)
    for f in range(p):
        thr=sorted({float(F(r['v'])) for r in e.n if r['mode']!='LEAF' and r['f']==f})
        for v in probe(thr[:4]):
            if f in ints: v=float(F(v))
            r=rng.normal(size=p)
            for j in ints: r[j]=float(rng.integers(-1,6))
            r[f]=v; X.append(r)
    for _ in range(extra):
        r=rng.normal(size=p)
        for j in ints: r[j]=float(rng.integers(-1,6))+ (0.5 if rng.random()<.2 else 0)
        if nan and rng.random()<.6: r[int(rng.integers(p))]=math.nan
        X.append(r)
    X.append(np.array([math.inf]*p)); X.append(np.array([-math.inf]*p)); 
    if nan: X.append(np.array([math.nan]*p))
    return [[float(v) for v in r] for r in X]
N=None
def tree_case(name,e,p,kind='r',X=None,double=False,nan=True,ints=(),K=1,**extra):
    X=X or rows_for(e,p,nan=nan,ints=ints)
    a=e.attrs(kind,double); a.update(extra)
    t=T.DOUBLE if double else T.FLOAT
    if kind=='r':
        nodes=[h.make_node('TreeEnsembleRegressor',['x'],['y'],name='ensemble',domain='ai.onnx.ml',n_targets=K,**a)]; outs=[vi('y',t if not double else T.FLOAT,[N,K])]; out='y'
    else:
        nodes=[h.make_node('TreeEnsembleClassifier',['x'],['label','y'],name='ensemble',domain='ai.onnx.ml',**a)]; outs=[vi('label',T.STRING if 'classlabels_strings' in extra else T.INT64,[N]),vi('y',T.FLOAT,[N,K])]; out='y'
    save(name,nodes,[vi('x',t,[N,p])],outs,[],X,[('x','float64' if double else 'float32',[len(X),p],[v for r in X for v in r] if double else flt(X))],out)
def ens(n,depth,p,modes,targets,**k):
    e=Ens()
    for t in range(n): e.tree(t,depth,p,modes,targets,**k)
    return e
anym=['LEQ','LT','GTE','GT']
tree_case('tree_modes',ens(4,4,4,lambda f:anym[rng.integers(4)],[0]),4,base_values=[0.25])
def eqthr(f): return float(rng.integers(0,5)) if f<2 else float(F(rng.normal()))
tree_case('tree_equal',ens(4,4,4,lambda f:(['EQ','NEQ'][rng.integers(2)] if f==0 else (['EQ','LEQ','GT'][rng.integers(3)] if f==1 else anym[rng.integers(4)])),[0],thr=eqthr),4,ints=(0,1))
tree_case('tree_targets_average',ens(5,3,3,lambda f:anym[rng.integers(4)],[0,1,2]),3,K=3,aggregate_function='AVERAGE',base_values=[.5,-1.,2.])
e=Ens()
for t in range(6): e.tree(t,3,3,lambda f:'LEQ',[],one=t%3)
tree_case('tree_targets_average_single',e,3,K=3,aggregate_function='AVERAGE')
tree_case('tree_softmax',ens(3,3,3,lambda f:'LEQ',[0,1,2]),3,kind='c',K=3,classlabels_strings=['red','green','blue'],post_transform='SOFTMAX')
tree_case('tree_logistic3',ens(3,3,3,lambda f:'LEQ',[0,1,2]),3,kind='c',K=3,classlabels_int64s=[3,5,9],post_transform='LOGISTIC',base_values=[.1,.2,.3])
for nm,pos,post,base in [('none_pos',1,'NONE',None),('none_mixed',0,'NONE',None),('logistic_mixed',0,'LOGISTIC',None),('logistic_pos',1,'LOGISTIC',None)]:
    kw={} if base is None else dict(base_values=base)
    tree_case('tree_binary_'+nm,ens(3,3,3,lambda f:'LEQ',[],one=1,posleaf=bool(pos)),3,kind='c',K=2,classlabels_int64s=[0,1],post_transform=post,**kw)
for nm,pos,post,base in [('none_pos',1,'NONE',None),('none_mixed',0,'NONE',None),('logistic_mixed',0,'LOGISTIC',None),('logistic_pos',1,'LOGISTIC',None),('logistic_base',0,'LOGISTIC',[0.3]),('none_pos_base',1,'NONE',[0.2])]:
    kw={} if base is None else dict(base_values=base)
    tree_case('tree_binary0_'+nm,ens(3,3,3,lambda f:'LEQ',[],one=0,posleaf=bool(pos)),3,kind='c',K=2,classlabels_int64s=[0,1],post_transform=post,**kw)
tree_case('tree_binary_class0',ens(3,3,3,lambda f:'LEQ',[],one=0),3,kind='c',K=2,classlabels_int64s=[0,1],post_transform='LOGISTIC')
tree_case('tree_binary_two',ens(3,3,3,lambda f:'LEQ',[0,1],posleaf=True),3,kind='c',K=2,classlabels_int64s=[0,1],post_transform='NONE')
tree_case('tree_binary_two_softmax',ens(3,3,3,lambda f:'LEQ',[0,1]),3,kind='c',K=2,classlabels_int64s=[0,1],post_transform='SOFTMAX')
tree_case('tree_double',ens(4,4,4,lambda f:anym[rng.integers(4)],[0]),4,double=True)
# chain of equalities with one true node: x0 in {1,3,4} ? A : B
n=[]
def nd(i,mode,f=0,v=0.,y=0,no=0,w=None,tr=0): n.append(dict(t=0,i=i,mode=mode,f=f,v=v,y=y,n=no,tr=tr,w=[(0,w)] if w is not None else []))
nd(0,'LEQ',1,0.1,1,7); nd(1,'EQ',0,1.,4,2); nd(2,'EQ',0,3.,4,3); nd(3,'EQ',0,4.,4,5); nd(4,'LT',1,-.5,6,8); nd(5,'LEAF',w=3.); nd(6,'LEAF',w=10.); nd(7,'LEAF',w=-2.); nd(8,'LEAF',w=7.)
e=Ens(); e.n=n
tree_case('tree_equal_chain',e,2,X=[[float(a),b] for a in (0,1,2,3,4,5,-1,2.5,math.nan) for b in (-1.,0.,.1,.2)])
# version 5
def v5(name,post=0,agg=1,ntg=1,single=False):
    nodes=[];leaves=[];members=[];roots=[]
    def rec(d):
        i=len(nodes); nodes.append(None); f=int(rng.integers(3)); mode=6 if f==0 and not single else int(rng.integers(6)) if f!=1 else int(rng.integers(4))
        if mode in(4,5): v=float(rng.integers(0,4)); f=2
        else: v=float(F(rng.normal()))
        if mode==6: members.extend([float(x) for x in sorted(rng.choice(6,size=int(rng.integers(1,4)),replace=False))]+[math.nan])
        r=dict(f=f,m=mode,v=v,tr=int(rng.integers(2)))
        for br in 'yn':
            if d==1: r[br]=len(leaves); r[br+'l']=1; leaves.append((len(roots)%ntg,float(F(rng.normal()))))
            else: r[br]=rec(d-1); r[br+'l']=0
        nodes[i]=r; return i
    for t in range(4): roots.append(rec(3))
    X=[[float(rng.integers(-1,7)) if rng.random()<.9 else 2.5,float(rng.normal()),float(rng.integers(-1,5))] for _ in range(60)]
    for i in range(12): X[i][int(rng.integers(3))]=math.nan
    for r in nodes:
        if r['m']<4:
            for v in probe([r['v']])[:5]:
                x=[float(rng.integers(-1,7)),float(rng.normal()),float(rng.integers(-1,5))]; x[r['f']]=v; X.append(x)
    a=dict(n_targets=ntg,aggregate_function=agg,post_transform=post,tree_roots=roots,nodes_featureids=[r['f'] for r in nodes],nodes_modes=h.make_tensor('m',T.UINT8,[len(nodes)],[r['m'] for r in nodes]),
      nodes_splits=h.make_tensor('s',T.FLOAT,[len(nodes)],[r['v'] for r in nodes]),nodes_truenodeids=[r['y'] for r in nodes],nodes_trueleafs=[r['yl'] for r in nodes],nodes_falsenodeids=[r['n'] for r in nodes],nodes_falseleafs=[r['nl'] for r in nodes],
      nodes_missing_value_tracks_true=[r['tr'] for r in nodes],leaf_targetids=[l[0] for l in leaves],leaf_weights=h.make_tensor('l',T.FLOAT,[len(leaves)],[l[1] for l in leaves]))
    if members: a['membership_values']=h.make_tensor('mv',T.FLOAT,[len(members)],members)
    save(name,[h.make_node('TreeEnsemble',['x'],['y'],name='ensemble',domain='ai.onnx.ml',**a)],[vi('x',T.FLOAT,[N,3])],[vi('y',T.FLOAT,[N,ntg])],[],X,[('x','float32',[len(X),3],flt(X))],'y',ml=5,opset=21)
v5('tree_v5_member'); v5('tree_v5_targets',post=0,agg=0,ntg=3); v5('tree_v5_plain',single=True); 
# preprocessing + trees
def pre_case(name,p,make,nX=None,e=None,ints=(),strings=None,nan=True):
    pass
def simple(name,p,nodes,inits,X,outs='y',K=1,t=T.FLOAT,opset=13,ml=3,dims=None,otype=T.FLOAT):
    if t==T.DOUBLE: feed=('x','float64',dims and [len(X)]+dims or [len(X),p],[float(v) for r in X for v in r])
    else: feed=('x','float32',dims and [len(X)]+dims or [len(X),p],flt(X))
    save(name,nodes,[vi('x',t,[N]+(dims or [p]))],[vi(outs,otype,[N]+([K] if K else []))] ,inits,X,[feed],outs,opset=opset,ml=ml)
def nX(n,p,s=1.,nan=False):
    X=rng.normal(size=(n,p))*s
    return [[float(v) if not(nan and rng.random()<.15) else math.nan for v in r] for r in X]
M='ai.onnx.ml'
e=ens(4,3,3,lambda f:anym[rng.integers(4)],[0])
off=[float(F(v)) for v in (1.3,-20.7,0.01)]; sc=[float(F(v)) for v in (0.37,-1/13.,111.1)]
X=[]
for r in rows_for(e,3,nan=True):
    X.append([r[j]/sc[j]+off[j] for j in range(3)])
for r in list(X)[:40]:
    for j in range(3):
        q=list(r); q[j]=float(np.nextafter(F(q[j]),F(np.inf))) if math.isfinite(q[j]) else q[j]; X.append(q)
simple('scaler_tree',3,[h.make_node('Scaler',['x'],['z'],domain=M,offset=off,scale=sc),h.make_node('TreeEnsembleRegressor',['z'],['y'],domain=M,n_targets=1,**e.attrs('r'))],[],X)
X2=[r for r in X if all(math.isfinite(v) or math.isnan(v) for v in r)]
simple('imputer_scaler_tree',3,[h.make_node('Imputer',['x'],['i'],domain=M,imputed_value_floats=[1.,2.,3.],replaced_value_float=math.nan),h.make_node('Scaler',['i'],['z'],domain=M,offset=off,scale=sc),h.make_node('TreeEnsembleRegressor',['z'],['y'],domain=M,n_targets=1,**e.attrs('r'))],[],X2)
simple('scaler_imputer_tree',3,[h.make_node('Scaler',['x'],['z'],domain=M,offset=off,scale=sc),h.make_node('Imputer',['z'],['i'],domain=M,imputed_value_floats=[.1],replaced_value_float=math.nan),h.make_node('Sub',['i','c'],['d']),h.make_node('Div',['d','c2'],['e']),h.make_node('TreeEnsembleRegressor',['e'],['y'],domain=M,n_targets=1,**e.attrs('r'))],[ninit('c',np.array([.1,.2,.3],F)),ninit('c2',np.array(3.,F))],X2)
e5=ens(4,4,7,lambda f:'LEQ',[0],thr=lambda f:0.5 if f<6 else float(F(rng.normal())))
# column 0: category of a float, column 1 binarized, col 2: number -> 4 dummies, 2 bin.., total 4+1+1+1
nodes=[h.make_node('ArrayFeatureExtractor',['x','i0'],['c0']),h.make_node('ArrayFeatureExtractor',['x','i1'],['c1']),h.make_node('ArrayFeatureExtractor',['x','i2'],['c2'])]
for q in nodes: q.domain=M
nodes+=[h.make_node('Cast',['c0'],['k0'],to=T.INT64),h.make_node('OneHotEncoder',['k0'],['h0'],domain=M,cats_int64s=[1,2,3,5],zeros=1),h.make_node('Reshape',['h0','sh'],['h1']),
 h.make_node('Binarizer',['c1'],['b1'],domain=M,threshold=0.25),h.make_node('FeatureVectorizer',['h1','b1','c2','c1'],['z'],domain=M,inputdimensions=[4,1,1,1]),h.make_node('TreeEnsembleRegressor',['z'],['y'],domain=M,n_targets=1,**e5.attrs('r'))]
X=[[float(rng.integers(0,7)),v,w] for v,w in zip(probe([.25])*3,list(rng.normal(size=21)))]+[[2.5,0.,0.],[5.99,0.,0.],[-0.5,.3,.1],[0.5,.3,.1]]
simple('onehot_tree',3,nodes,[ninit('i0',np.array([0])),ninit('i1',np.array([1])),ninit('i2',np.array([2])),ninit('sh',np.array([-1,4]))],X)
# linear
W=rng.normal(size=(3,4)).astype(F); b=rng.normal(size=3).astype(F)
for post in ('NONE','LOGISTIC','SOFTMAX'):
    simple('linreg_'+post.lower(),4,[h.make_node('LinearRegressor',['x'],['y'],domain=M,coefficients=W.ravel().tolist(),intercepts=b.tolist(),targets=3,post_transform=post)],[],nX(10,4),K=3)
def lincls(name,W,b,labels,post,norm=False,pre=[],p=None,X=None,inits=[]):
    K=2 if len(labels)==2 else len(labels)
    nodes=pre+[h.make_node('LinearClassifier',['z' if pre else 'x'],['label','s'],name='classifier',domain=M,coefficients=np.ravel(W).tolist(),intercepts=list(map(float,b)),post_transform=post,multi_class=0,**({'classlabels_ints':labels} if isinstance(labels[0],int) else {'classlabels_strings':labels}))]
    if norm: nodes.append(h.make_node('Normalizer',['s'],['y'],domain=M,norm='L1'))
    else: nodes.append(h.make_node('Identity',['s'],['y']))
    p=p or W.shape[1]; X=X or nX(10,p)
    save(name,nodes,[vi('x',T.FLOAT,[N,p])],[vi('label',T.STRING if isinstance(labels[0],str) else T.INT64,[N]),vi('y',T.FLOAT,[N,K])],inits,X,[('x','float32',[len(X),p],flt(X))],'y')
lincls('lincls_ovr',W,b,['a','b','c'],'LOGISTIC',norm=True)
lincls('lincls_binary_rows',np.vstack([-W[:1],W[:1]]),[-b[0],b[0]],[0,1],'LOGISTIC',norm=True)
lincls('lincls_binary_one',W[:1],b[:1],[0,1],'LOGISTIC')
lincls('lincls_binary_one_none',W[:1],b[:1],[0,1],'NONE')
pre=[h.make_node('Imputer',['x'],['i'],domain=M,imputed_value_floats=[1.,2.,3.,0.5],replaced_value_float=math.nan),h.make_node('Scaler',['i'],['z'],domain=M,offset=[.5,.1,2.,0.],scale=[2.,.3,1.,1.])]
lincls('lincls_pipeline',W,b,['a','b','c'],'SOFTMAX',pre=pre,X=nX(12,4,nan=True))
simple('gemm_linear',4,[h.make_node('Gemm',['x','W','b'],['g'],transB=1),h.make_node('Softmax',['g'],['y'],axis=-1)],[ninit('W',W),ninit('b',b)],nX(8,4),K=3)
simple('matmul_add_sigmoid',4,[h.make_node('MatMul',['x','W'],['m']),h.make_node('Add',['b','m'],['g']),h.make_node('Sigmoid',['g'],['y'])],[ninit('W',W[:1].T.copy()),ninit('b',b[:1])],nX(8,4),K=1)
simple('gemm_exp',4,[h.make_node('Gemm',['x','W'],['g'],alpha=.5),h.make_node('Exp',['g'],['y'])],[ninit('W',W[:1].T.copy())],nX(8,4),K=1)
# networks
def dense(i,o,tag,x,y,act=None,bias=True):
    return [h.make_node('Gemm',[x,'W'+tag]+(['b'+tag] if bias else []),[y],transB=1)],[ninit('W'+tag,rng.normal(size=(o,i)).astype(F)*F(.5))]+([ninit('b'+tag,rng.normal(size=o).astype(F))] if bias else [])
n1,i1=dense(5,6,'1','x','h'); n2,i2=dense(6,2,'2','a','y')
for act,kw,ops in [('Relu',{},13),('LeakyRelu',dict(alpha=.2),13),('Elu',dict(alpha=.7),13),('Sigmoid',{},13),('Tanh',{},13),('Softplus',{},13),('Gelu',{},20)]:
    simple('mlp_'+act.lower(),5,n1+[h.make_node(act,['h'],['a'],**kw)]+n2,i1+i2,nX(8,5),K=2,opset=ops)
simple('mlp_clip',5,n1+[h.make_node('Clip',['h','lo','hi'],['a'])]+n2,i1+i2+[ninit('lo',np.array(-.5,F)),ninit('hi',np.array(1.,F))],nX(8,5),K=2)
simple('mlp_prelu',5,n1+[h.make_node('PRelu',['h','s'],['a'])]+n2,i1+i2+[ninit('s',np.array([.25],F))],nX(8,5),K=2)
for order in (0,1):
    g=[h.make_node('Div',['h','r2'],['d']),h.make_node('Erf',['d'],['e']),h.make_node('Add',['e','one'],['p'])]
    g+= [h.make_node('Mul',['h','p'],['q']),h.make_node('Mul',['q','half'],['a'])] if order==0 else [h.make_node('Mul',['h','half'],['hh']),h.make_node('Mul',['hh','p'],['a'])]
    simple('mlp_gelu_erf%d'%order,5,n1+g+n2,i1+i2+[ninit('r2',np.array(math.sqrt(2),F)),ninit('one',np.array(1.,F)),ninit('half',np.array(.5,F))],nX(8,5),K=2)
simple('mlp_silu_residual',5,n1+[h.make_node('Sigmoid',['h'],['s']),h.make_node('Mul',['h','s'],['t']),h.make_node('Add',['t','h'],['u']),h.make_node('Sub',['u','s'],['v']),h.make_node('Mul',['v','v'],['w']),h.make_node('Neg',['w'],['a'])]+n2,i1+i2,nX(8,5),K=2)
simple('mlp_batchnorm',5,[h.make_node('BatchNormalization',['x','g','be','mu','va'],['z'],epsilon=1e-3)]+[h.make_node('Gemm',['z','W1','b1'],['h'],transB=1),h.make_node('Relu',['h'],['a'])]+n2,i1+i2+[ninit('g',rng.random(5).astype(F)+F(.5)),ninit('be',rng.normal(size=5).astype(F)),ninit('mu',rng.normal(size=5).astype(F)),ninit('va',rng.random(5).astype(F)+F(.1))],nX(8,5),K=2)
simple('mlp_scaled_shared',5,[h.make_node('Sub',['x','mu'],['x0']),h.make_node('Div',['x0','sd'],['z']),h.make_node('Gemm',['z','W1','b1'],['h'],transB=1),h.make_node('Identity',['h'],['h2']),h.make_node('Add',['h2','c'],['h3']),h.make_node('Relu',['h'],['r']),h.make_node('Add',['r','h3'],['a'])]+n2,i1+i2+[ninit('mu',rng.normal(size=5).astype(F)),ninit('sd',rng.random(5).astype(F)+F(.5)),ninit('c',rng.normal(size=6).astype(F))],nX(8,5),K=2)
simple('mlp_split_inputs',5,[h.make_node('Gather',['x','ia'],['xa'],axis=1),h.make_node('Slice',['x','st','en','ax'],['xb']),h.make_node('MatMul',['xa','Wa'],['ha']),h.make_node('MatMul',['xb','Wb'],['hb']),h.make_node('Relu',['ha'],['ra']),h.make_node('Concat',['ra','hb'],['a'],axis=1)]+n2,i2+[ninit('ia',np.array([4,0])),ninit('st',np.array([1])),ninit('en',np.array([9223372036854775807])),ninit('ax',np.array([1])),ninit('Wa',rng.normal(size=(2,3)).astype(F)),ninit('Wb',rng.normal(size=(4,3)).astype(F))],nX(8,5),K=2)
simple('mlp_double',5,n1+[h.make_node('Tanh',['h'],['a'])]+n2,[ninit(t.name,nh.to_array(t).astype(np.float64)*1.0000001) for t in i1+i2],nX(8,5),K=2,t=T.DOUBLE,otype=T.DOUBLE)
simple('mlp_half',5,[h.make_node('Cast',['W1h'],['W1'],to=T.FLOAT)]+n1+[h.make_node('Relu',['h'],['a'])]+n2,[ninit('W1h',nh.to_array(i1[0]).astype(np.float16))]+i1[1:]+i2,nX(8,5),K=2)
# typed data instead of raw
tt=[h.make_tensor(t.name,T.FLOAT,t.dims,nh.to_array(t).ravel().tolist()) for t in i1+i2]
simple('mlp_typed',5,n1+[h.make_node('Relu',['h'],['a'])]+n2,tt,nX(8,5),K=2)
def img(name,dims,nodes,inits,K,n=5,opset=13):
    p=int(np.prod(dims)); X=nX(n,p)
    simple(name,p,nodes,inits,X,K=K,dims=dims,opset=opset)
def w(name,*s): return ninit(name,(rng.normal(size=s)*.4).astype(F))
def head(x,c,k=2): return [h.make_node('GlobalAveragePool',[x],['gp']),h.make_node('Flatten',['gp'],['fl']),h.make_node('Gemm',['fl','Wh','bh'],['y'],transB=1)],[w('Wh',k,c),w('bh',k)]
hn,hi=head('r',4)
for nm,kw in [('plain',{}),('stride',dict(strides=[2,3],pads=[1,0,2,1])),('dilated',dict(dilations=[2,2],pads=[2,2,2,2])),('same_upper',dict(auto_pad='SAME_UPPER',strides=[2,2])),('same_lower',dict(auto_pad='SAME_LOWER',strides=[2,2])),('valid',dict(auto_pad='VALID'))]:
    img('conv_'+nm,[3,8,7],[h.make_node('Conv',['x','Wc','bc'],['c'],name='conv',kernel_shape=[3,2] if 'same' in nm else [3,3],**kw),h.make_node('Relu',['c'],['r'])]+hn,[w('Wc',4,3,3,2) if 'same' in nm else w('Wc',4,3,3,3),w('bc',4)]+hi,2)
img('conv_group',[4,6,6],[h.make_node('Conv',['x','Wc'],['c'],group=2),h.make_node('Add',['c','pc'],['c1']),h.make_node('BatchNormalization',['c1','g','be','mu','va'],['c2']),h.make_node('Relu',['c2'],['r'])]+hn,[w('Wc',4,2,3,3),w('pc',4,1,1),ninit('g',rng.random(4).astype(F)),w('be',4),w('mu',4),ninit('va',rng.random(4).astype(F)+F(.1))]+hi,2)
for nm,op,kw in [('max','MaxPool',dict(kernel_shape=[3,2],strides=[2,2],pads=[1,0,1,1])),('max_ceil','MaxPool',dict(kernel_shape=[3,3],strides=[2,2],ceil_mode=1)),('max_dilated','MaxPool',dict(kernel_shape=[2,2],dilations=[2,3])),('max_same','MaxPool',dict(kernel_shape=[2,2],strides=[2,2],auto_pad='SAME_UPPER')),
   ('average','AveragePool',dict(kernel_shape=[3,2],strides=[2,2],pads=[1,0,1,1])),('average_counts','AveragePool',dict(kernel_shape=[3,2],strides=[2,2],pads=[1,0,1,1],count_include_pad=1)),('average_ceil','AveragePool',dict(kernel_shape=[3,3],strides=[2,2],ceil_mode=1)),('average_same','AveragePool',dict(kernel_shape=[2,3],strides=[2,2],auto_pad='SAME_LOWER'))]:
    sh={'max':4}
    nodes=[h.make_node(op,['x'],['r'],**kw),h.make_node('Flatten',['r'],['y'])]
    img('pool_'+nm,[2,8,7],nodes,[],0)
img('pool_global_max',[3,4,5],[h.make_node('GlobalMaxPool',['x'],['r']),h.make_node('Squeeze',['r','ax'],['y'])],[ninit('ax',np.array([2,3]))],3)
img('pool_reduce_mean',[3,4,5],[h.make_node('ReduceMean',['x'],['y'],axes=[-1,2],keepdims=0)],[],3)
img('pad_average',[2,5,5],[h.make_node('Pad',['x','pp'],['q']),h.make_node('AveragePool',['q'],['r'],kernel_shape=[3,3],strides=[2,2]),h.make_node('Flatten',['r'],['y'])],[ninit('pp',np.array([0,0,1,0,0,0,1,2]))],0)
img('pad_conv',[2,5,5],[h.make_node('Pad',['x','pp'],['q']),h.make_node('Conv',['q','Wc'],['r'],pads=[1,1,0,0]),h.make_node('Flatten',['r'],['y'])],[ninit('pp',np.array([0,0,1,0,0,0,1,2])),w('Wc',2,2,3,3)],0)
img('conv1d',[3,12],[h.make_node('Conv',['x','Wc','bc'],['c'],strides=[2],pads=[1,1]),h.make_node('Relu',['c'],['r']),h.make_node('MaxPool',['r'],['m'],kernel_shape=[2],strides=[2]),h.make_node('Transpose',['m'],['t'],perm=[0,2,1]),h.make_node('Flatten',['t'],['f']),h.make_node('MatMul',['f','Wh'],['y'])],[w('Wc',4,3,3),w('bc',4),w('Wh',12,2)],2)
img('shapes',[2,4,6],[h.make_node('Shape',['x'],['sh']),h.make_node('Gather',['sh','i0'],['nb']),h.make_node('Unsqueeze',['nb','a0'],['nb1']),h.make_node('Concat',['nb1','m1'],['ns'],axis=0),h.make_node('Transpose',['x'],['t'],perm=[0,2,3,1]),h.make_node('Reshape',['t','ns'],['f']),h.make_node('Gemm',['f','Wh'],['y'])],[ninit('i0',np.array(0)),ninit('a0',np.array([0])),ninit('m1',np.array([-1])),w('Wh',48,2)],2)
img('residual',[4,6,6],[h.make_node('Conv',['x','Wc'],['c'],pads=[1,1,1,1]),h.make_node('Add',['c','x'],['s']),h.make_node('GlobalAveragePool',['s'],['g']),h.make_node('Sigmoid',['g'],['gs']),h.make_node('Mul',['s','gs'],['q']),h.make_node('Concat',['q','x'],['cc'],axis=1),h.make_node('Softmax',['cc'],['sm'],axis=1),h.make_node('Mul',['sm','full'],['fu']),h.make_node('Flatten',['fu'],['f']),h.make_node('Gemm',['f','Wh'],['y'])],[w('Wc',4,4,3,3),w('full',6,6),w('Wh',288,2)],2)
for c in (3,1):
    X=nX(5,c*20); A=np.array(X).reshape(5,c,4,5).transpose(0,2,3,1)
    nodes=[h.make_node('Transpose',['x'],['t'],perm=[0,3,1,2]),h.make_node('Conv',['t','Wc'],['c']),h.make_node('Transpose',['c'],['u'],perm=[0,2,3,1]),h.make_node('Flatten',['u'],['f']),h.make_node('Gemm',['f','Wh'],['g']),h.make_node('ReduceMean',['x'],['rm'],axes=[1,2],keepdims=0) ,h.make_node('Gemm',['g','W3'],['y'])]
    nodes=[q for q in nodes if q.op_type!='ReduceMean']
    save('nhwc_%d'%c,nodes,[vi('x',T.FLOAT,[N,4,5,c])],[vi('y',T.FLOAT,[N,2])],[w('Wc',3,c,3,3),w('Wh',18,4),w('W3',4,2)],X,[('x','float32',[5,4,5,c],[float(F(v)) for v in A.ravel()])],'y')
X=nX(5,60); A=np.array(X).reshape(5,3,4,5).transpose(0,2,3,1)
save('nhwc_scaled',[h.make_node('Sub',['x','mu'],['x0']),h.make_node('Div',['x0','sd'],['x1']),h.make_node('Transpose',['x1'],['t'],perm=[0,3,1,2]),h.make_node('Conv',['t','Wc'],['c']),h.make_node('Flatten',['c'],['f']),h.make_node('Gemm',['f','Wh'],['y'])],[vi('x',T.FLOAT,[N,4,5,3])],[vi('y',T.FLOAT,[N,2])],[w('mu',3),ninit('sd',np.array([.5,1,2],F)),w('Wc',3,3,3,3),w('Wh',18,2)],X,[('x','float32',[5,4,5,3],[float(F(v)) for v in A.ravel()])],'y')
# text and several inputs
cols=['red','green','blue','grey']; tx=[cols[int(rng.integers(4))] for _ in range(30)]; num=[[float(rng.normal()),int(rng.integers(0,4))] for _ in range(30)]
Xm=[[t,a,k] for t,(a,k) in zip(tx,num)]
feeds=[('colour','string',[30,1],tx),('age','float32',[30,1],[float(F(a)) for a,_ in num]),('code','int64',[30,1],[k for _,k in num])]
ins=[vi('colour',T.STRING,[N,1]),vi('age',T.FLOAT,[N,1]),vi('code',T.INT64,[N,1])]
pre=[h.make_node('OneHotEncoder',['colour'],['h0'],domain=M,cats_strings=['red','green','blue'],zeros=1),h.make_node('Reshape',['h0','s3'],['h']),h.make_node('Cast',['code'],['cf'],to=1),h.make_node('Scaler',['age'],['as'],domain=M,offset=[.5],scale=[2.]),h.make_node('Concat',['h','as','cf'],['z'],axis=1)]
e=ens(4,4,5,lambda f:'LEQ',[0],thr=lambda f:0.5 if f<3 else float(F(rng.normal())))
save('mixed_tree',pre+[h.make_node('TreeEnsembleRegressor',['z'],['y'],domain=M,n_targets=1,**e.attrs('r'))],ins,[vi('y',T.FLOAT,[N,1])],[ninit('s3',np.array([-1,3]))],Xm,feeds,'y',names=['colour','age','code'])
save('mixed_linear',pre+[h.make_node('LinearRegressor',['z'],['y'],domain=M,coefficients=[1.,2.,3.,4.,5.],intercepts=[.5],targets=1)],ins,[vi('y',T.FLOAT,[N,1])],[ninit('s3',np.array([-1,3]))],Xm,feeds,'y',names=['colour','age','code'])
q1,j1=dense(5,4,'1','z','hh')
save('mixed_network',pre+q1+[h.make_node('Relu',['hh'],['a']),h.make_node('Gemm',['a','W2'],['y'])],ins,[vi('y',T.FLOAT,[N,1])],[ninit('s3',np.array([-1,3])),w('W2',4,1)]+j1,Xm,feeds,'y',names=['colour','age','code'])
e=ens(4,4,3,lambda f:'LEQ',[0],thr=lambda f:float(rng.integers(0,3))+.5 if f==0 else float(F(rng.normal())))
save('label_tree',[h.make_node('LabelEncoder',['colour'],['l'],domain=M,keys_strings=['blue','green','red'],values_floats=[0.,1.,2.],default_float=-1.),h.make_node('Cast',['code'],['cf'],to=1),h.make_node('Concat',['l','age','cf'],['z'],axis=1),h.make_node('TreeEnsembleRegressor',['z'],['y'],domain=M,n_targets=1,**e.attrs('r'))],ins,[vi('y',T.FLOAT,[N,1])],[],Xm,feeds,'y',names=['colour','age','code'])
json.dump(jobs,open(os.path.join(OUT,'jobs.json'),'w'))
print(len(jobs))
