
# Matrix products by OpenBLAS, which a backend loads at first need: no thread,
# no lost signal, no hang without memory, the same answers without it.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(time);

use ExplainExt;

my $node = ExplainExt::node('primary');

# Smoothed gradients run a network on many rows at once; weights that no symmetry hides.
sub network
{
	my ($inputs, $units) = @_;
	my $k = 0;
	my $dense = sub {
		my ($n, $m) = @_;
		my @rows = map { '[' . join(',', map { sprintf '%.4f', sin(++$k * 1.3) / sqrt($n) } 1 .. $n) . ']' } 1 .. $m;
		return '{"kind":"dense","weights":[' . join(',', @rows) . '],"bias":[' . join(',', map { $_ / $m } 1 .. $m) . ']}';
	};
	return '{"family":"network","features":[' . join(',', map { "\"x$_\"" } 1 .. $inputs) . '],"layers":['
	  . join(',{"kind":"relu"},', $dense->($inputs, $units), $dense->($units, $units), $dense->($units, 1)) . ']}';
}

my $file = $node->basedir . '/networks.sql';
append_to_file($file, "CREATE TABLE m AS SELECT '" . network(30, 64) . "'::explain.model AS model, '"
	  . network(30, 700) . "'::explain.model AS large;\n");
$node->safe_psql('postgres', <<END);
	\\i $file
	CREATE TABLE t AS SELECT i AS id, ARRAY(SELECT sin(i * j)::float8 FROM generate_series(1, 30) AS j) AS x
		FROM generate_series(1, 2000) AS i;
	CREATE FUNCTION status(key text) RETURNS text LANGUAGE sql AS
		\$\$ SELECT (regexp_match(pg_read_file('/proc/self/status'), key || ':\\s*([0-9a-f]+)'))[1] \$\$;
	CREATE FUNCTION loaded() RETURNS boolean LANGUAGE sql AS
		\$\$ SELECT pg_read_file('/proc/self/maps') ~ 'blas' \$\$;
	CREATE FUNCTION answers(model explain.model, n int) RETURNS TABLE (id int, y float8) LANGUAGE sql AS
		\$\$ SELECT id, (explain.gradient_array(model, x, method => 'smooth', samples => 200,
			sigma => array_fill(0.1::float8, ARRAY[30])))[1] FROM t WHERE id <= n \$\$;
END
my $run = 'SELECT sum(y) FROM m, answers(model, 40)';

sub run
{
	my ($query, %options) = @_;
	my ($status, $out, $err) = $node->psql('postgres', $query,
		extra_params => [ '-v', "VERBOSITY=$options{verbosity}" ]);
	return "$out\n$err";
}

# ----- loading the extension loads no BLAS -----
my $load = run(<<'END', verbosity => 'terse');
	SET client_min_messages = debug1;
	LOAD '$libdir/explain_ext';
	SELECT 'blas ' || loaded() || ', threads ' || status('Threads');
	SELECT y IS NOT NULL FROM m, LATERAL (SELECT explain.predict(model, x) AS y FROM t LIMIT 1) AS one;
	SELECT 'blas ' || loaded();
END
like($load, qr/blas false, threads 1\nt\nblas false/, 'neither LOAD nor a single row loads it');
unlike($load, qr/matrix products/, 'nor says so');

# ----- the first large product does -----
my $first = run(<<END, verbosity => 'terse');
	SET client_min_messages = debug1;
	SELECT 'mask ' || status('SigBlk');
	$run;
	SELECT 'blas ' || loaded() || ', threads ' || status('Threads');
	SELECT 'mask ' || status('SigBlk');
	SELECT 'tasks ' || count(*) FROM pg_ls_dir('/proc/self/task');
	COPY (SELECT 1) TO PROGRAM 'cat >/dev/null; test "\$OPENBLAS_NUM_THREADS\$OMP_NUM_THREADS" = ""';
END
like($first, qr/matrix products use "libopenblas\.so\.0"/, 'the first large product loads it');
like($first, qr/blas true, threads 1\n/, '... without a thread');
like($first, qr/tasks 1\n/, '... or a task');
like($first, qr/mask ([0-9a-f]+)\n.*mask \1\n/s, '... with the signals as they were');
unlike($first, qr/ERROR/, '... and the environment');

# ----- the same answers without -----
my $compare = sub {
	my ($model, $rows) = @_;
	return <<END;
	CREATE TEMP TABLE a AS SELECT answers.* FROM m, answers($model, $rows);
	SET explain_ext.blas_library = '';
	CREATE TEMP TABLE b AS SELECT answers.* FROM m, answers($model, $rows);
	SELECT 'rows ' || count(*) || ', near ' || (max(abs(a.y - b.y)) < 1e-13 * max(abs(a.y))) FROM a JOIN b USING (id);
END
};
like(run($compare->('model', 40), verbosity => 'terse'), qr/rows 40, near true/, 'plain C gives the same answers');
like(run($compare->('large', 10), verbosity => 'terse'), qr/rows 10, near true/, '... of a large network too');
for my $library ('no such library', 'libm.so.6')
{
	my $out = run("SET explain_ext.blas_library = '$library'; SET client_min_messages = debug1; $run; $run;"
		  . " SELECT 'threads ' || status('Threads')", verbosity => 'terse');
	my @said = $out =~ /matrix products do not use/g;

	is(scalar(@said), 1, "without a library ($library): tried once");
	like($out, qr/^(\S+)\n\1\nthreads 1\n/, '... and answered by plain C');
}
like(run("LOAD '\$libdir/explain_ext'; SET ROLE pg_monitor; SET explain_ext.blas_library = 'x'", verbosity => 'sqlstate'), qr/42501/,
	'a library is not for everybody to choose');

# ----- parallel workers load it for themselves -----
my $workers = run(<<'END', verbosity => 'terse');
	SET force_parallel_mode = on;
	SET client_min_messages = debug1;
	SELECT 'smooth ' || count(explain.gradient_array(model, x, method => 'smooth', samples => 200,
		sigma => array_fill(0.1::float8, ARRAY[30]))) FROM m, t WHERE id <= 20;
	SET force_parallel_mode = off;
	SELECT 'leader ' || loaded();
END
like($workers, qr/smooth 20\nleader false\n/, 'a parallel worker answers');
like($workers, qr/matrix products use/, '... with its own library: the leader has none');

# ----- without memory: an answer, not a hang -----
# psql runs as the server's user, who may limit one backend from outside.
SKIP: {
	my ($prlimit) = grep { -x } map { "$_/prlimit" } split(/:/, $ENV{PATH}), '/usr/bin';
	skip 'no prlimit', 6 unless defined $prlimit;
	for my $room (60, 150)
	{
		my $begin = time;
		my $out = run(<<END, verbosity => 'terse');
	SET client_min_messages = debug1;
	SELECT count(explain.predict(model, x)) FROM m, t;
	SELECT (1024 * (status('VmSize')::int8 + 1024 * $room)) AS room, pg_backend_pid() AS pid \\gset
	\\setenv ROOM :room
	\\setenv PID :pid
	\\! $prlimit --pid \$PID --as=\$ROOM
	$run;
	SELECT 'threads ' || status('Threads');
END
		like($out, qr/matrix products do not use "libopenblas\.so\.0": there is not enough memory\n/, "$room MB are not enough");
		like($out, qr/2000\n\S+\nthreads 1\n/, '... and plain C answers');
		cmp_ok(time - $begin, '<', 60, '... soon');
	}
}

# ----- signals still come: timeout, cancel -----
my $late = sub {
	my ($name, $before) = @_;
	my $begin = time;
	my $out = run("$before SET statement_timeout = 500; SELECT sum(y) FROM m, generate_series(1, 100), answers(large, 2000)",
		verbosity => 'sqlstate');
	my $late = time - $begin - 0.5;

	like($out, qr/57014/, "cancelled: $name");
	# the promise is 100 ms on an idle machine; this bound only finds a loop that does not ask
	cmp_ok($late, '<', 5, sprintf('in good time (%.0f ms)', $late * 1000));
};
$late->('many products of OpenBLAS', "$run;");
$late->('many products of plain C', "SET explain_ext.blas_library = '';");

done_testing();
