
# ExplainExt.pm: servers for the TAP tests.
#
#	use ExplainExt;
#	my $node = ExplainExt::node('primary');             # running, extension created
#	my $node = ExplainExt::node('primary', allows_streaming => 1);
#
# The tests run in a copy of test/, as the user who may start servers, with
# data/ and sql/ beside t/: paths such as data/models/x.json are right.
#
package ExplainExt;

use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;

# Options are those of Cluster->init, and conf => text to append.
sub node
{
	my ($name, %options) = @_;
	my $conf = delete $options{conf} // '';
	my $node = PostgreSQL::Test::Cluster->new($name);

	$node->init(extra => [ '--locale=C.UTF-8', '--encoding=UTF8' ], %options);
	configure($node, $conf);
	$node->start;
	$node->safe_psql('postgres', 'CREATE EXTENSION explain_ext');
	return $node;
}

# Let a server find the extension in its stage: for one that was made in another
# way, such as from a backup.
sub configure
{
	my ($node, $conf) = @_;

	$node->append_conf('postgresql.conf', slurp_file($ENV{EXPLAIN_CONF}) . ($conf // ''));
	return;
}

1;
