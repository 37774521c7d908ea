# Aggregate states on their way: binary COPY, damaged bytes, dump and restore,
# another server through postgres_fdw; and parallel plans on a larger table.

use strict;
use warnings;
use lib '.';
use ExplainExt;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = ExplainExt::node('primary');
my $folder = $node->basedir;

$node->safe_psql('postgres', <<'SQL');
CREATE TABLE prediction (id int, part int, f1 float8, f2 float8, weight float8, city text);
INSERT INTO prediction SELECT i, i % 3, sin(i), cos(i / 10.0) * 1e200, i % 4, 'city ' || i % 50
	FROM generate_series(1, 30000) AS i;
ALTER TABLE prediction SET (parallel_workers = 3);
ANALYZE prediction;
CREATE TABLE state AS SELECT part,
	explain.model_similarity_state(f1, f2, weight) AS similarity,
	explain.attribution_summary(ARRAY[f1, f2, 0]) AS summary,
	explain.background(p, 50) AS background
	FROM prediction AS p GROUP BY part;
SQL

# --- binary COPY ---

my %column = (similarity => 'similarity_state', summary => 'attribution_summary_state',
	background => 'background_sample');

for my $name (sort keys %column)
{
	is($node->safe_psql('postgres', <<"SQL"), 't', "$name survives binary COPY");
COPY (SELECT part, $name FROM state) TO '$folder/$name' (FORMAT binary);
CREATE TABLE copy_$name (part int, state explain.$column{$name});
COPY copy_$name FROM '$folder/$name' (FORMAT binary);
SELECT bool_and(state::text = $name\::text) AND count(*) = 3 FROM state JOIN copy_$name USING (part);
SQL
}

# --- damaged bytes ---

# One row with one column, so that its bytes begin behind header, field count and length.
for my $name (sort keys %column)
{
	my $start = 19 + 2 + 4;
	$node->safe_psql('postgres', "COPY (SELECT $name FROM state WHERE part = 1) TO '$folder/one' (FORMAT binary)");
	my $bytes = slurp_file("$folder/one");
	my $length = length($bytes) - $start - 2;
	my $script = "\\set VERBOSITY sqlstate\nCREATE TEMP TABLE t (s explain.$column{$name});\n";

	for my $variant (0 .. 299)
	{
		my $damaged = $bytes;
		my $at = $start + int($variant * $length / 300);
		substr($damaged, $at, 1) = chr(ord(substr($damaged, $at, 1)) ^ (1 << ($variant % 8)));
		if ($variant % 10 == 9)
		{
			# cut short, with the length that says so
			substr($damaged, $at) = "\xff\xff";
			substr($damaged, $start - 4, 4) = pack('N', $at - $start);
		}
		open(my $file, '>:raw', "$folder/damaged_$variant") or die $!;
		print $file $damaged;
		close $file;
		$script .= "COPY t FROM '$folder/damaged_$variant' (FORMAT binary);\n";
	}
	# whatever was taken must be usable
	$script .= "SELECT count(s::text) FROM t;\n";
	my ($out, $err) = ('', '');
	$node->psql('postgres', $script, stdout => \$out, stderr => \$err, on_error_stop => 0);
	my %seen;
	$seen{$1}++ while $err =~ /ERROR:  (\w{5})/g;
	ok(($seen{'22P03'} // 0) > 100, "$name: damaged bytes are refused");
	is(join(' ', grep { !/^(22P03|0A000)$/ } sort keys %seen), '', "$name: always for that reason");
	like($out, qr/^\d+$/m, "$name: the server goes on");
}

# --- dump and restore ---

my $dump = "$folder/dump.sql";
$node->command_ok([ 'pg_dump', '-f', $dump, '-t', 'state', $node->connstr('postgres') ], 'states are dumped');
$node->safe_psql('postgres', 'CREATE DATABASE restored');
$node->safe_psql('restored', 'CREATE EXTENSION explain_ext');
$node->command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-d', $node->connstr('restored'), '-f', $dump ],
	'and restored');
my $digest = 'SELECT md5(string_agg(s::text, $$ $$ ORDER BY part)) FROM state AS s';
is($node->safe_psql('restored', $digest), $node->safe_psql('postgres', $digest), 'unchanged');

# --- parallel ---

my $all = <<'SQL';
SELECT md5(explain.model_similarity_state(f1, f2, weight)::text
	|| explain.attribution_summary(ARRAY[f1, f2, 0])::text
	|| explain.background(p, 50)::text) FROM prediction AS p
SQL
my $parallel = 'SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET max_parallel_workers_per_gather = 3;';
my $serial = 'SET max_parallel_workers_per_gather = 0;';
my $plan = $node->safe_psql('postgres', "$parallel EXPLAIN (ANALYZE, COSTS OFF, TIMING OFF) $all");
like($plan, qr/Partial Aggregate/, 'a partial aggregate');
like($plan, qr/Workers Launched: [1-3]/, 'in several processes');
my $expected = $node->safe_psql('postgres', "$serial $all");
is($node->safe_psql('postgres', "$parallel $all"), $expected, "run $_ gives the same bits") for 1 .. 3;

# --- another server ---

my ($host, $port) = ($node->host, $node->port);
$node->safe_psql('postgres', <<"SQL");
CREATE EXTENSION postgres_fdw;
CREATE SERVER far FOREIGN DATA WRAPPER postgres_fdw
	OPTIONS (host '$host', port '$port', dbname 'postgres', extensions 'explain_ext');
CREATE USER MAPPING FOR CURRENT_USER SERVER far;
CREATE FOREIGN TABLE far (id int, part int, f1 float8, f2 float8, weight float8, city text)
	SERVER far OPTIONS (table_name 'prediction');
SQL
my $two_level = <<'SQL';
SELECT explain.model_similarity_final(explain.model_similarity_merge(similarity)),
	md5(explain.attribution_summary_merge(summary)::text), md5(explain.background_merge(background)::text)
FROM (SELECT part, explain.model_similarity_state(f1, f2, weight) AS similarity,
	explain.attribution_summary(ARRAY[f1, f2, 0]) AS summary,
	explain.background(ARRAY[f1, f2, weight], 50) AS background FROM TABLE GROUP BY part) AS parts
SQL
(my $local = $two_level) =~ s/TABLE/prediction/;
(my $remote = $two_level) =~ s/TABLE/far/;
like($node->safe_psql('postgres', "EXPLAIN (VERBOSE, COSTS OFF) $remote"),
	qr/Remote SQL: SELECT part, explain\.model_similarity_state\(.*explain\.background\(/,
	'states are made by the other server');
is($node->safe_psql('postgres', $remote), $node->safe_psql('postgres', $local), 'the same ones');

$node->stop;
done_testing();
