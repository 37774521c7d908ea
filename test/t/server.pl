
# What a server goes through: restart, crash, standby, dump and restore, and a
# query that is cancelled, with models stored in a registry.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

use ExplainExt;

my $primary = ExplainExt::node('primary', allows_streaming => 1);

# An ensemble large enough to be toasted, its predictions and explanations.
my $trees = join ',', map
{
	my $t = $_;
	my $nodes = '"feature":["x0","x1","x2",null,null,null,null],'
	  . '"threshold":[' . join(',', $t % 7 - 3, $t % 5 - 2, $t % 3 - 1) . ',null,null,null,null],'
	  . '"left_child":[1,3,5,null,null,null,null],"right_child":[2,4,6,null,null,null,null],'
	  . '"value":[null,null,null,' . join(',', map { sin($t * 7 + $_) } 1 .. 4) . '],'
	  . '"cover":[100,60,40,30,30,20,20]';
	"{$nodes}"
} 1 .. 400;
my $json = '{"family":"tree","features":["x0","x1","x2"],"trees":[' . $trees . ']}';

$primary->safe_psql('postgres', <<END);
	CREATE TABLE t AS SELECT i AS id, sin(i) * 3 AS x0, cos(i * 1.7) * 3 AS x1, sin(i * 0.3) * 2 AS x2
		FROM generate_series(1, 2000) i;
	CALL explain.create_registry();
	SELECT explain.register_model('trees', explain.with_background('$json'::explain.model,
		(SELECT explain.background(t, 50) FROM t)), 'test');
	SELECT explain.register_model('trees', '$json'::explain.model);
	SELECT explain.register_model('linear', explain.with_background(explain.linear_model(
		'{x0,x1,x2}', '{1,2,3}', 4), '{{0,0,0},{1,1,2}}'::float8[]));
	CREATE VIEW explained AS SELECT id, explain.shap_array('trees', t) AS phi FROM t;
	CREATE INDEX by_prediction ON t (explain.predict('{"family":"linear","features":["a"],"intercept":1,
		"coefficients":{"a":2}}'::explain.model, ARRAY[x0]));
	CREATE ROLE analyst;
	GRANT SELECT ON explain.model_versions, t TO analyst;
	ALTER TABLE explain.model_versions ENABLE ROW LEVEL SECURITY;
	CREATE POLICY linear_only ON explain.model_versions FOR SELECT TO analyst USING (name = 'linear');
END

# Everything that must come out the same, in one line of text.
my $answers = <<END;
	SELECT md5(string_agg(explain.shap_array('trees', t)::text || explain.predict('trees', t)::text
			|| explain.shap_array('trees\@1', t, method => 'tree_interventional')::text
			|| explain.shap_array('linear', t)::text, ',' ORDER BY id)),
		(SELECT string_agg(explain.model_digest(model), ',' ORDER BY name, version) FROM explain.model_versions),
		(SELECT explain.model_similarity(explain.predict('trees', t), explain.predict('linear', t)) FROM t)
	FROM t WHERE id <= 200
END
my $before = $primary->safe_psql('postgres', $answers);
like($before, qr/^[0-9a-f]{32}\|/, 'the models answer');

# ----- parallel plans: the same bits, and really parallel -----
my $parallel = "SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0;"
  . " SET min_parallel_table_scan_size = 0; ALTER TABLE t SET (parallel_workers = 2);";
my $model = "(SELECT model FROM explain.model_versions WHERE name = 'trees' AND version = 2)";
my $summary = "SELECT explain.attribution_summary(explain.shap_array($model, t))::text FROM t";
like($primary->safe_psql('postgres', "$parallel EXPLAIN (COSTS OFF) $summary"),
	qr/Finalize Aggregate.*Gather.*Partial Aggregate/s, 'the summary is aggregated in workers');
is($primary->safe_psql('postgres', "$parallel $summary"),
	$primary->safe_psql('postgres', "SET max_parallel_workers_per_gather = 0; $summary"),
	'and comes out the same');
my $named = "SELECT md5(string_agg(phi::text, ',' ORDER BY id)) FROM (SELECT id, explain.shap_array('trees', t) AS phi FROM t OFFSET 0) s";
is($primary->safe_psql('postgres', "$parallel SET force_parallel_mode = on; $named"),
	$primary->safe_psql('postgres', "SET max_parallel_workers_per_gather = 0; $named"),
	'a model by name explains alike in a worker');

# ----- restart and crash -----
$primary->restart;
is($primary->safe_psql('postgres', $answers), $before, 'the same answers after a restart');
$primary->stop('immediate');
$primary->start;
is($primary->safe_psql('postgres', $answers), $before, 'the same answers after a crash');

# ----- hot standby -----
$primary->backup('backup');
my $standby = PostgreSQL::Test::Cluster->new('standby');
$standby->init_from_backup($primary, 'backup', has_streaming => 1);
ExplainExt::configure($standby);
$standby->start;
$primary->wait_for_catchup($standby, 'replay', $primary->lsn('insert'));
is($standby->safe_psql('postgres', $answers), $before, 'the same answers on a standby');
my ($status, $out, $err) = $standby->psql('postgres', "SELECT explain.register_model('x', (SELECT model FROM explain.model_versions LIMIT 1))",
	extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);
like($err, qr/25006/, 'a standby registers no model');
$standby->stop;

# ----- dump and restore -----
my $dump = $primary->basedir . '/dump.sql';
$primary->command_ok([ 'pg_dump', '-d', $primary->connstr('postgres'), '-f', $dump ], 'dump');
$primary->safe_psql('postgres', 'CREATE DATABASE restored');
$primary->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $primary->connstr('restored'), '-f', $dump ], 'restore');
is($primary->safe_psql('restored', $answers), $before, 'the same answers after dump and restore');
is($primary->safe_psql('restored', "SELECT count(*) FROM explained"), 2000, 'a view over the models is there');
is($primary->safe_psql('restored', "SET ROLE analyst; SELECT string_agg(name, ',') FROM explain.model_versions"),
	'linear', 'grants and row security are there');
$primary->command_ok([ 'pg_dump', '-Fc', '-d', $primary->connstr('postgres'), '-t', 'explain.model_versions', '-f', "$dump.c" ],
	'dump of the registry alone');

# ----- rights: by name as the caller, nothing remembered across a change of role -----
($status, $out, $err) = $primary->psql('postgres', <<'END', extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);
	SET ROLE analyst;
	SELECT explain.predict('trees', ARRAY[1,2,3]);
END
like($err, qr/42704/, 'a model hidden by row security is unknown');
is($primary->safe_psql('postgres', "SET ROLE analyst; SELECT explain.predict('linear', ARRAY[1,2,3])"), 18, 'a visible one is not');
($status, $out, $err) = $primary->psql('postgres', <<'END', extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);
	DO $$
	BEGIN
		FOR i IN 1..2 LOOP
			RAISE NOTICE 'as %: %', current_user, explain.predict('trees', ARRAY[1,2,3]);
			SET LOCAL ROLE analyst;
		END LOOP;
	END
	$$;
END
like($err, qr/NOTICE:  00000.*42704/s, 'SET LOCAL ROLE between two calls of one site takes the model away');
is($primary->safe_psql('postgres', <<'END'), "18\n9", 'a model updated between two calls is seen');
	CREATE FUNCTION two_calls() RETURNS SETOF float8 LANGUAGE plpgsql AS $$
	BEGIN
		FOR i IN 1..2 LOOP
			RETURN NEXT explain.predict('linear', ARRAY[1,2,3]);
			PERFORM explain.register_model('linear', explain.linear_model('{x0,x1,x2}', '{0,0,3}', 0));
		END LOOP;
	END
	$$;
	SELECT * FROM two_calls();
END

# ----- cancel -----
$primary->safe_psql('postgres', "CREATE TABLE many AS SELECT t.* FROM t, generate_series(1, 200)");
for my $query (
	"SELECT count(explain.shap_array($model, t)) FROM many t",
	"SELECT count(explain.shap_interaction_array($model, t)) FROM many t",
	"SELECT explain.attribution_summary(explain.shap_array('trees\@1', t, method => 'tree_interventional')) FROM many t",
	"SELECT explain.background(t, 1000) FROM many t, generate_series(1, 50)")
{
	my $begin = time;
	($status, $out, $err) = $primary->psql('postgres', "SET max_parallel_workers_per_gather = 0; SET statement_timeout = 300; $query",
		extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);
	my $late = time - $begin - 0.3;
	like($err, qr/57014/, "cancelled: $query");
	# the promise is 100 ms on an idle machine; this bound only finds a loop that does not ask
	cmp_ok($late, '<', 3, sprintf('in good time (%.0f ms)', $late * 1000));
}
is($primary->safe_psql('postgres', "SELECT count(explain.shap_array('trees', t)) FROM t"), 2000, 'the models answer after it');

# ----- dropping -----
($status, $out, $err) = $primary->psql('postgres', 'DROP EXTENSION explain_ext', extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);
like($err, qr/2BP01/, 'the extension is not dropped below a stored model');

done_testing();
