
# The registry when several sessions add versions of one model at once: each
# gets a number of its own, and none is lost.

use strict;
use warnings;
use PostgreSQL::Test::Utils;
use Test::More;

use ExplainExt;

my $node = ExplainExt::node('registry');
$node->safe_psql('postgres', 'CALL explain.create_registry()');
$node->pgbench(
	'--no-vacuum --client=6 --transactions=25', 0,
	[qr{processed: 150/150}], [qr{^$}],
	'six sessions register versions of one model',
	{ register => "SELECT explain.register_model('shared', explain.linear_model('{x}', ARRAY[:client_id::float8]))" });
is( $node->safe_psql('postgres', <<END), '150|1|150', 'each version has a number of its own');
	SELECT count(*), min(version), max(version) FROM explain.model_versions WHERE name = 'shared'
END
is( $node->safe_psql('postgres', <<END), 't', 'the newest is found by name');
	SELECT explain.get_model('shared') OPERATOR(explain.=) explain.get_model('shared\@150')
END

done_testing();
