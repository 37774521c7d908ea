
# Whole tables: progress as other sessions see it, cancels, memory, and every
# way to make a table of explanations.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time usleep);

use ExplainExt;

my $node = ExplainExt::node('bulk');

# 400 complete trees of depth 7 on ten features, so that a tile takes a while,
# and a light model.
sub tree
{
	my ($t) = @_;
	my $splits = 127;
	my (@feature, @threshold, @left, @right, @value, @cover);

	for my $i (0 .. 2 * $splits)
	{
		my $split = $i < $splits;
		push @feature, $split ? '"x' . (($i * 7 + $t) % 10) . '"' : 'null';
		push @threshold, $split ? sin($t * 31 + $i) * 2 : 'null';
		push @left, $split ? 2 * $i + 1 : 'null';
		push @right, $split ? 2 * $i + 2 : 'null';
		push @value, $split ? 'null' : sin($t * 17 + $i);
		push @cover, 128 >> int(log($i + 1) / log(2) + 1e-9);
	}
	return '{' . join(',', map { "\"$_->[0]\":[" . join(',', @{ $_->[1] }) . ']' }
		  [ feature => \@feature ], [ threshold => \@threshold ], [ left_child => \@left ],
		[ right_child => \@right ], [ value => \@value ], [ cover => \@cover ]) . '}';
}

my $features = join ',', map { "\"x$_\"" } 0 .. 9;
my $heavy = "{\"family\":\"tree\",\"features\":[$features],\"trees\":[" . join(',', map { tree($_) } 1 .. 400) . ']}';
my $light = "{\"family\":\"tree\",\"features\":[$features],\"trees\":[" . join(',', map { tree($_) } 1 .. 2) . ']}';
my $columns = join ', ', map { "sin(i * 0.37 + $_) * 2 AS x$_" } 0 .. 9;

$node->safe_psql('postgres', <<END);
	CREATE TABLE models (name text, m explain.model);
	INSERT INTO models VALUES ('heavy', explain.with_background('$heavy'::explain.model,
		(SELECT explain.background(r, 100) FROM (SELECT $columns FROM generate_series(1, 200) i) r))), ('light', '$light');
	CREATE TABLE t AS SELECT i AS id, $columns FROM generate_series(1, 100000) i;
	CREATE TABLE few AS SELECT * FROM t WHERE id <= 3000;
	CREATE VIEW many AS SELECT t.* FROM t, generate_series(1, 11);
	VACUUM ANALYZE t, few;
	CREATE ROLE reader;
	CREATE ROLE watcher IN ROLE pg_read_all_stats;
END

my %model = map { $_ => "(SELECT m FROM models WHERE name = '$_')" } qw(heavy light);

sub sql
{
	return $node->safe_psql('postgres', @_);
}

sub sqlstate
{
	my (undef, undef, $error) = $node->psql('postgres', @_, extra_params => [ '-v', 'VERBOSITY=sqlstate' ]);

	return $error;
}

# ----- all doors lead to the same rows -----
my $all = "md5(string_agg(id || phi::text, ',' ORDER BY id))";
my $batch = "SELECT id, explain.shap_batch($model{light}, r) OVER () AS phi FROM few r";
my $expected = sql("SELECT $all FROM (SELECT id, explain.shap_array($model{light}, r) AS phi FROM few r) s");
is(sql("CREATE TABLE made AS $batch; SELECT $all FROM made"), $expected, 'CREATE TABLE AS');
is(sql("TRUNCATE made; INSERT INTO made $batch; SELECT $all FROM made"), $expected, 'INSERT SELECT');
sql("CREATE MATERIALIZED VIEW kept AS $batch; CREATE UNIQUE INDEX ON kept (id); UPDATE few SET x0 = x0 + 0; REFRESH MATERIALIZED VIEW kept");
is(sql("REFRESH MATERIALIZED VIEW CONCURRENTLY kept; SELECT $all FROM kept"), $expected, 'a materialised view, refreshed');
is(sql("COPY (SELECT $all FROM ($batch) s) TO STDOUT"), $expected, 'COPY');
my $reversed = join ', ', map { "x$_ float8" } reverse 0 .. 9;
sql(<<END);
	CREATE TABLE parts (LIKE few) PARTITION BY RANGE (id);
	CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (0) TO (1000);
	CREATE TABLE parts_2 (gone int, $reversed, id int);
	ALTER TABLE parts_2 DROP COLUMN gone;
	ALTER TABLE parts ATTACH PARTITION parts_2 FOR VALUES FROM (1000) TO (2000);
	CREATE TABLE parts_3 PARTITION OF parts DEFAULT;
	INSERT INTO parts SELECT * FROM few;
END
is(sql("SELECT $all FROM (SELECT id, explain.shap_batch($model{light}, r) OVER () AS phi FROM parts r) s"),
	$expected, 'a partitioned table whose partitions have other columns');
is(sql("SET enable_partitionwise_aggregate = on; SELECT $all FROM (SELECT id, explain.shap_batch($model{light}, r) OVER (PARTITION BY id % 3) AS phi FROM parts r) s"),
	$expected, 'windows over it');
my $parallel = 'SET max_parallel_workers_per_gather = 2; SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0;';
is(sql("$parallel SELECT $all FROM (SELECT id, explain.shap_array($model{light}, r) AS phi FROM few r) s"),
	$expected, 'workers, each row by itself');
is(sql("$parallel SELECT $all FROM (SELECT id, explain.shap_batch($model{light}, r) OVER () AS phi FROM few r) s"),
	$expected, 'a window over rows that workers read');
is(sql("SET jit = on; SET jit_above_cost = 0; SELECT $all FROM ($batch) s"), $expected, 'with JIT where there is one');

# ----- memory: the executor forgets the rows behind -----
# Rows of 1.1 million pass through a window; the function's memory does not grow.
my $session = $node->background_psql('postgres', on_error_stop => 0);
$session->query_safe('SET max_parallel_workers_per_gather = 0; SET jit = off');
my $pid = $session->query_safe('SELECT pg_backend_pid()');

sub peak_kb
{
	open my $status, '<', "/proc/$pid/status" or return;
	my ($peak) = map { /^VmHWM:\s+(\d+)/ ? $1 : () } <$status>;
	return $peak;
}

sub temp_bytes
{
	$session->query_safe('SELECT pg_stat_force_next_flush()');
	return sql("SELECT temp_bytes FROM pg_stat_database WHERE datname = 'postgres'");
}

$session->query_safe("SELECT count(explain.shap_array($model{light}, r)) FROM t r WHERE id <= 20000");
$session->query_safe("SELECT count(p) FROM (SELECT explain.shap_batch($model{light}, r) OVER () AS p FROM t r WHERE id <= 20000) s");
my ($kb, $temp) = (peak_kb(), temp_bytes());
is($session->query_safe("SELECT count(p) FROM (SELECT explain.shap_batch($model{light}, r) OVER () AS p FROM many r) s"),
	'1100000', 'a million rows');
SKIP:
{
	skip 'no /proc here', 1 unless defined $kb;
	# the pages of the table that the backend has touched in shared memory count as well
	cmp_ok(peak_kb() - $kb, '<', 24 * 1024, sprintf('in no more memory than 20,000 (%d kB more)', peak_kb() - $kb));
}
is(temp_bytes(), $temp, 'and nothing on disk');
# rows of which few fit into work_mem
$session->query_safe("SET work_mem = '64kB'");
is($session->query_safe("SELECT count(p) FROM (SELECT explain.shap_batch($model{light}, r) OVER () AS p"
		  . " FROM (SELECT t.*, repeat('x', 3000) AS long FROM t OFFSET 0) r) s"), '100000', 'wide rows in little memory');
is(temp_bytes(), $temp, 'and nothing on disk either');
$session->query_safe('RESET work_mem');
cmp_ok($session->query_safe("SELECT coalesce(sum(total_bytes), 0) FROM pg_backend_memory_contexts WHERE name LIKE 'explain_ext%' AND name NOT LIKE '%model'"),
	'<', 64 * 1024, 'nothing is left of a query');

# ----- progress -----
my $mine = "FROM explain.progress() WHERE pid = $pid";

# Waits until the watched session reports, or no longer does; returns what a query then says.
sub when
{
	my ($condition, $query) = @_;

	$node->poll_query_until('postgres', "SELECT $condition") or return 'never';
	return $query ? sql($query) : 'seen';
}

is(sql('SELECT count(*) FROM explain.progress()'), '0', 'nothing is under way');

# Runs a statement in the watched session while a test looks at it.
sub while_running
{
	my ($statement, $look) = @_;

	$session->query_until(qr/started/, "\\echo started\n$statement;\n");
	$look->();
	return;
}

# The cancelled statement's error is read, and forgotten.
sub settle
{
	$session->query('SELECT 1');
	$session->{stderr} = '';
	return;
}

my $slow = "SELECT count(p) FROM (SELECT explain.shap_batch($model{heavy}, t) OVER () AS p FROM t) s";
while_running($slow, sub {
	is(when("rows_done > 0 $mine", "SELECT function, relation, database, rows_total, rows_per_second > 0, seconds > 0, rows_done <= rows_total $mine"),
		'shap_batch|t|postgres|100000|t|t|t', 'another session sees function, table, rows and rate');
	my $done = sql("SELECT rows_done $mine");
	is(when("rows_done > $done $mine"), 'seen', 'the rows grow');
	is(sql("SET ROLE reader; SELECT count(*) $mine"), '0', "a role without rights sees nobody else's work");
	is(sql("SET ROLE watcher; SELECT count(*) $mine"), '1', 'a member of pg_read_all_stats does');
	is(sql(join ' UNION ALL ', map { "SELECT count(*)::text FROM pg_stat_progress_$_" }
			qw(analyze vacuum cluster create_index basebackup copy)), join("\n", ('0') x 6), "the server's own views show nothing false");
	sql("SELECT pg_cancel_backend($pid)");
	is(when("count(*) = 0 $mine"), 'seen', 'a cancelled query is under way no longer');
});
settle();
is($session->query_safe("CREATE INDEX ON few (x0); SELECT count(*) FROM explain.progress()"), '0', 'CREATE INDEX works afterwards');

while_running("SELECT count(explain.shap_array($model{heavy}, t)) FROM t", sub {
	is(when("rows_done > 0 $mine", "SELECT function, relation $mine"), 'shap_array|t', 'row by row as well');
	sql("SELECT pg_cancel_backend($pid)");
	is(when("count(*) = 0 $mine"), 'seen', 'until it ends');
});
settle();

# in a subtransaction that fails, and in one that fails within the query
$session->query_safe(<<'END');
	CREATE FUNCTION safely(x float8) RETURNS float8 LANGUAGE plpgsql AS $$
	BEGIN
		RETURN 1 / (x - x);
	EXCEPTION WHEN division_by_zero THEN
		RETURN x;
	END
	$$;
END
while_running("SELECT count(p) FROM (SELECT explain.shap_batch($model{heavy}, r) OVER () AS p FROM (SELECT id, safely(x0) AS x0, x1, x2, x3, x4, x5, x6, x7, x8, x9 FROM t) r) s", sub {
	is(when("rows_done > 500 $mine"), 'seen', 'failed subtransactions do not hide it');
	sql("SELECT pg_cancel_backend($pid)");
	is(when("count(*) = 0 $mine"), 'seen', 'until it ends');
});
settle();
$session->query_safe(<<END);
	DO \$\$
	BEGIN
		PERFORM explain.shap_batch($model{light}, ARRAY[x0,x1,x2,x3,x4,x5,x6,x7,x8,1.0/(id-2500)]) OVER () FROM t;
	EXCEPTION WHEN division_by_zero THEN
		NULL;
	END
	\$\$
END
is(sql("SELECT count(*) $mine"), '0', 'an error that was caught leaves no report');

# a query with its cursor open, and another command meanwhile
$session->query_safe("BEGIN; DECLARE k CURSOR FOR SELECT explain.shap_batch($model{light}, t) OVER () IS NOT NULL FROM t; FETCH 1 FROM k");
is(sql("SELECT rows_done $mine"), '32', 'an open cursor is under way');
$session->query_safe('CREATE INDEX ON few (x1); MOVE 1000 FROM k');
is(sql("SELECT rows_done > 1000 $mine"), 't', 'another command in between only hides it');
$session->query_safe('COMMIT');
is(sql("SELECT count(*) $mine"), '0', 'until it is closed');

# workers
while_running("$parallel SET parallel_leader_participation = off; SELECT count(explain.shap_array($model{heavy}, t)) FROM t", sub {
	is(when('count(*) >= 1 FROM explain.progress() WHERE rows_done > 0', 'SELECT DISTINCT function, relation FROM explain.progress()'),
		'shap_array|t', 'workers report too');
	sql("SELECT pg_cancel_backend($pid)");
});
settle();
$session->quit;

# ----- cancel: this bound only finds a loop that does not ask; the promise is 100 ms on an idle machine -----
for my $query (
	"SELECT count(p) FROM (SELECT explain.shap_batch($model{heavy}, t) OVER () AS p FROM t) s",
	"SELECT count(p) FROM (SELECT explain.shap_interaction_batch($model{heavy}, t) OVER () AS p FROM t) s",
	"SELECT count(p) FROM (SELECT explain.shap_batch($model{heavy}, t, method => 'tree_interventional') OVER () AS p FROM t) s",
	"SELECT count(p) FROM (SELECT explain.predict_batch($model{heavy}, t) OVER () AS p FROM t, generate_series(1, 20)) s",
	"CREATE TABLE never AS SELECT explain.shap_batch($model{heavy}, t) OVER (PARTITION BY id % 100 ORDER BY x0) FROM t")
{
	my $begin = time;
	like(sqlstate("SET max_parallel_workers_per_gather = 0; SET statement_timeout = 400; $query"), qr/57014/, "cancelled: $query");
	cmp_ok(time - $begin - 0.4, '<', 3, sprintf('in good time (%.0f ms)', (time - $begin - 0.4) * 1000));
}
is(sql('SELECT count(*) FROM explain.progress()'), '0', 'nothing is under way after all that');

done_testing();
