--
-- What must hold for everything that the extension creates.  Each query
-- lists offenders and expects none.
--
CREATE VIEW member AS
	SELECT classid, objid, objsubid
	FROM pg_depend
	WHERE deptype = 'e' AND refclassid = 'pg_extension'::regclass
	AND refobjid = (SELECT oid FROM pg_extension WHERE extname = 'explain_ext');
CREATE VIEW routine AS
	SELECT p.* FROM pg_proc p JOIN member m ON m.classid = 'pg_proc'::regclass AND m.objid = p.oid;

-- the view sees the extension at all
SELECT count(*) > 50 AS many FROM routine;

-- routines without a comment
SELECT oid::regprocedure FROM routine WHERE obj_description(oid, 'pg_proc') IS NULL ORDER BY 1;

-- types, columns of row types, and operators without a comment
SELECT t.oid::regtype
FROM pg_type t JOIN member m ON m.classid = 'pg_type'::regclass AND m.objid = t.oid
WHERE t.typelem = 0 AND obj_description(t.oid, 'pg_type') IS NULL ORDER BY 1;
SELECT a.attrelid::regclass, a.attname
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.typrelid = c.oid
JOIN member m ON m.classid = 'pg_type'::regclass AND m.objid = t.oid
WHERE a.attnum > 0 AND col_description(a.attrelid, a.attnum) IS NULL ORDER BY 1, a.attnum;
SELECT o.oid::regoperator
FROM pg_operator o JOIN member m ON m.classid = 'pg_operator'::regclass AND m.objid = o.oid
WHERE obj_description(o.oid, 'pg_operator') IS NULL ORDER BY 1;

-- routines without a parallel label (UNSAFE is what is left when nobody thought about it)
SELECT oid::regprocedure FROM routine WHERE proparallel = 'u' AND provolatile <> 'v' ORDER BY 1;

-- parameters and result columns whose names need quotes
SELECT oid::regprocedure, name
FROM routine, unnest(proargnames) AS name
WHERE name <> '' AND quote_ident(name) <> name ORDER BY 1, 2;
SELECT a.attrelid::regclass, a.attname
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.typrelid = c.oid
JOIN member m ON m.classid = 'pg_type'::regclass AND m.objid = t.oid
WHERE a.attnum > 0 AND quote_ident(a.attname) <> a.attname ORDER BY 1, a.attnum;

-- parameters without a name, where people call the routine (not type support, not aggregates' insides)
SELECT oid::regprocedure FROM routine
WHERE pronargs > 0 AND prokind IN ('f', 'p')
AND proname !~ '_(in|out|recv|send|eq|ne|hash|combine|merge)$'
AND proargnames IS NULL ORDER BY 1;

-- a model looked up by name makes a routine STABLE: it reads the registry
SELECT oid::regprocedure, provolatile FROM routine
WHERE 'model_name' = ANY (proargnames) AND provolatile = 'i' ORDER BY 1;
-- and one by value leaves it IMMUTABLE
SELECT oid::regprocedure, provolatile FROM routine
WHERE 'explain.model'::regtype = ANY (proargtypes) AND provolatile <> 'i' AND prokind = 'f'
AND NOT (provolatile = 'v' AND proname = 'register_model')
AND NOT 'model_name' = ANY (proargnames) ORDER BY 1;
-- SQL and PL functions that name a table are not IMMUTABLE
SELECT oid::regprocedure FROM routine
WHERE provolatile = 'i' AND prolang <> (SELECT oid FROM pg_language WHERE lanname = 'c')
AND coalesce(pg_get_function_sqlbody(oid), prosrc) ~* '\m(from|into|update)\s+[a-z_]+\.[a-z_]+' ORDER BY 1;

-- nothing runs with another role's rights
SELECT oid::regprocedure FROM routine WHERE prosecdef OR proleakproof ORDER BY 1;

-- set-returning functions promise a number of rows (1000, the default, is meant for two), every routine a cost
SELECT oid::regprocedure, prorows FROM routine
WHERE proretset AND (prorows = 0 OR prorows = 1000 AND proname NOT IN ('tree_nodes', 'model_structure')) ORDER BY 1;
SELECT oid::regprocedure FROM routine WHERE procost <= 0 AND prokind = 'f' ORDER BY 1;

-- aggregates: real state types, mergeable, parallel
SELECT a.aggfnoid::regprocedure, a.aggtranstype::regtype
FROM pg_aggregate a JOIN routine r ON r.oid = a.aggfnoid
WHERE a.aggtranstype = 'internal'::regtype OR a.aggcombinefn = 0 OR r.proparallel <> 's' ORDER BY 1;

-- chart-facing rows: no arrays, jsonb, int8 or numeric (but for what feeds an aggregate back)
SELECT r.oid::regprocedure, t::regtype
FROM routine r, unnest(coalesce(r.proallargtypes, '{}'::oid[]), coalesce(r.proargmodes, '{}'::"char"[])) AS u(t, mode)
WHERE r.proretset AND mode IN ('o', 't')
AND t NOT IN ('text'::regtype, 'float8'::regtype, 'int4'::regtype, 'bool'::regtype, 'timestamptz'::regtype)
AND r.proname NOT IN ('tree_nodes', 'network_weights') ORDER BY 1, 2;
SELECT a.attrelid::regclass, a.attname, a.atttypid::regtype
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.typrelid = c.oid
JOIN member m ON m.classid = 'pg_type'::regclass AND m.objid = t.oid
WHERE a.attnum > 0
AND a.atttypid NOT IN ('text'::regtype, 'float8'::regtype, 'int4'::regtype, 'bool'::regtype, 'timestamptz'::regtype)
ORDER BY 1, a.attnum;

-- the extension owns no table
SELECT c.oid::regclass FROM pg_class c JOIN member m ON m.classid = 'pg_class'::regclass AND m.objid = c.oid
WHERE c.relkind IN ('r', 'p', 'S', 'm', 'f') ORDER BY 1;

DROP VIEW routine, member;
