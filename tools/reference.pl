#!/usr/bin/perl
#
# reference.pl: write doc/reference.md from the catalog of the server that
# tools/with-server.sh started, to standard output.
#
# What a function does is written once, in its COMMENT.  Sections are the
# fragments of sql/, in their order.  Overloads that differ in nothing but
# types are one entry.

use strict;
use warnings;
use utf8;
use JSON::PP;
use Text::Wrap qw(wrap $columns);

binmode STDOUT, ':utf8';
$columns = 100;
$Text::Wrap::unexpand = 0;
my $psql = shift @ARGV;

# One JSON document for each query, so that no text needs escaping; @before is
# run first, in the same session.
sub query
{
	my ($sql, @before) = @_;
	open my $out, '-|', $psql, '-XAtq', '-v', 'ON_ERROR_STOP=1', '-d', 'reference', '-c',
	  "SET search_path = ''", (map { ('-c', $_) } @before), '-c', "SELECT coalesce(pg_catalog.json_agg(q), '[]') FROM ($sql) q"
	  or die "$psql: $!\n";
	my $json = do { local $/; <$out> };
	close $out or die "psql failed\n";
	return @{ decode_json($json) };
}

my $member = q{
	SELECT d.objid FROM pg_catalog.pg_depend d JOIN pg_catalog.pg_extension e ON e.oid = d.refobjid
	WHERE d.deptype = 'e' AND d.refclassid = 'pg_catalog.pg_extension'::pg_catalog.regclass
	AND e.extname = 'explain_ext' AND d.classid};

# Inner parts of types, aggregates and operators are not for callers; a final
# function is, if a caller can have its state: one of a type of ours.
sub routines
{
	return query(qq{
	SELECT p.proname AS name, p.prokind AS kind, p.provolatile AS volatility, p.proparallel AS parallel,
		p.proisstrict AS strict, p.proretset AS retset,
		pg_catalog.format_type(p.prorettype, NULL) AS returns, p.prosrc AS symbol,
		pg_catalog.obj_description(p.oid, 'pg_proc') AS comment,
		ARRAY(SELECT pg_catalog.json_build_object(
				'name', coalesce(p.proargnames[i], ''), 'mode', coalesce(p.proargmodes[i]::text, 'i'),
				'type', pg_catalog.format_type(coalesce(p.proallargtypes[i], p.proargtypes[i - 1]), NULL),
				'default', pg_catalog.pg_get_function_arg_default(p.oid, i))
			FROM pg_catalog.generate_series(1, coalesce(pg_catalog.cardinality(p.proallargtypes), p.pronargs)) i) AS args,
		EXISTS (SELECT FROM pg_catalog.pg_type WHERE p.oid IN (typinput, typoutput, typreceive, typsend))
		OR EXISTS (SELECT FROM pg_catalog.pg_operator WHERE oprcode = p.oid)
		OR EXISTS (SELECT FROM pg_catalog.pg_amproc WHERE amproc = p.oid)
		OR EXISTS (SELECT FROM pg_catalog.pg_aggregate WHERE p.oid IN (aggtransfn, aggcombinefn)
			OR p.oid = aggfinalfn AND aggtranstype = 'bytea'::pg_catalog.regtype) AS internal
	FROM pg_catalog.pg_proc p
	WHERE p.oid IN ($member = 'pg_catalog.pg_proc'::pg_catalog.regclass)
	ORDER BY p.oid});
}

sub types
{
	return query(qq{
	SELECT t.typname AS name, pg_catalog.obj_description(t.oid, 'pg_type') AS comment,
		ARRAY(SELECT enumlabel FROM pg_catalog.pg_enum WHERE enumtypid = t.oid ORDER BY enumsortorder) AS labels,
		ARRAY(SELECT pg_catalog.json_build_object('name', attname,
				'type', pg_catalog.format_type(atttypid, atttypmod),
				'comment', pg_catalog.col_description(attrelid, attnum))
			FROM pg_catalog.pg_attribute WHERE attrelid = t.typrelid AND attnum > 0 ORDER BY attnum) AS columns
	FROM pg_catalog.pg_type t
	WHERE t.typelem = 0 AND t.oid IN ($member = 'pg_catalog.pg_type'::pg_catalog.regclass)
	ORDER BY t.oid});
}

# What create_registry() makes.
sub relations
{
	return query(q{
	SELECT c.relname AS name, c.relkind AS kind, pg_catalog.obj_description(c.oid, 'pg_class') AS comment,
		ARRAY(SELECT pg_catalog.json_build_object('name', attname,
				'type', pg_catalog.format_type(atttypid, atttypmod),
				'comment', pg_catalog.col_description(attrelid, attnum))
			FROM pg_catalog.pg_attribute WHERE attrelid = c.oid AND attnum > 0 ORDER BY attnum) AS columns
	FROM pg_catalog.pg_class c
	WHERE c.relnamespace = 'explain'::pg_catalog.regnamespace AND c.relkind IN ('r', 'v')
	ORDER BY c.oid});
}

sub casts
{
	return query(qq{
	SELECT pg_catalog.format_type(castsource, NULL) AS source, pg_catalog.format_type(casttarget, NULL) AS target,
		castcontext AS context
	FROM pg_catalog.pg_cast c WHERE c.oid IN ($member = 'pg_catalog.pg_cast'::pg_catalog.regclass) ORDER BY c.oid});
}

# A session has them from the first call of the library on.
sub settings
{
	my @settings = query(q{
	SELECT name, context, unit, boot_val AS initial, min_val AS least, max_val AS most, short_desc AS short,
		extra_desc AS extra
	FROM pg_catalog.pg_settings WHERE name LIKE 'explain_ext.%' ORDER BY name},
		q{DO $$BEGIN PERFORM '{"family":"linear","features":["a"],"intercept":0,"coefficients":[1]}'::explain.model; END$$});
	die "no settings: the library is not loaded\n" if !@settings;
	return @settings;
}

# The fragments: word, title and what each of them creates.
sub fragments
{
	my @fragments;
	for my $file (sort glob 'sql/[0-9]*.sql')
	{
		open my $in, '<', $file or die "$file: $!\n";
		my $text = do { local $/; <$in> };
		my ($word) = $file =~ /\d+-(.*)\.sql$/;
		my ($title) = $text =~ /\A--\n-- ([^\n:]*)/ or die "$file: no title\n";
		my %created = map { $_ => 1 } $text =~ /^CREATE (?:FUNCTION|AGGREGATE|PROCEDURE|TYPE) explain\.(\w+)/mg;
		push @fragments, { file => $file, word => $word, title => $title, created => \%created };
	}
	return @fragments;
}

# --- entries -----------------------------------------------------------------

# Types as this project writes them.
sub type
{
	my ($name) = @_;
	$name =~ s/double precision/float8/;
	$name =~ s/^integer/int4/;
	$name =~ s/^bigint/int8/;
	$name =~ s/timestamp with time zone/timestamptz/;
	return $name;
}

# A default as one would write it: the casts are the parameters' types.
sub default
{
	my ($text) = @_;
	$text =~ s/::[\w. ]+(\[\])?$//;
	return $text;
}

sub inputs
{
	return grep { $_->{mode} eq 'i' } @{ $_[0]{args} };
}

# Overloads with the same shape are one entry.
sub shape
{
	my ($routine) = @_;
	my @names = map {
		($_->{name} =~ /^model(_name)?$/ ? 'model' : $_->{name}) . (defined $_->{default} ? '=' . default($_->{default}) : '')
	} @{ $routine->{args} };
	return join "\0", $routine->{name}, $routine->{kind}, $routine->{returns}, $routine->{comment}, @names;
}

sub fold
{
	my (%entry, @entries);
	for my $routine (@_)
	{
		my $shape = shape($routine);
		push @entries, $entry{$shape} = [] if !$entry{$shape};
		push @{ $entry{$shape} }, $routine;
	}
	return @entries;
}

sub distinct
{
	my %seen;
	return grep { !$seen{$_}++ } @_;
}

# "model explain.model | model_name text": one parameter in all its overloads.
sub parameter
{
	my ($entry, $i) = @_;
	my (%types, @names);
	for my $routine (@$entry)
	{
		my $arg = (inputs($routine))[$i];
		push @names, $arg->{name} if !$types{ $arg->{name} };
		push @{ $types{ $arg->{name} } }, type($arg->{type});
	}
	my $text = join ' | ', map { join(' ', grep { $_ ne '' } $_, join(' | ', distinct(@{ $types{$_} }))) } @names;
	my $default = (inputs($entry->[0]))[$i]{default};
	return defined $default ? "$text DEFAULT " . default($default) : $text;
}

sub columns
{
	return join ', ', map { "$_->{name} " . type($_->{type}) } grep { $_->{mode} =~ /[ot]/ } @{ $_[0]{args} };
}

sub result
{
	my ($routine) = @_;
	return '' if $routine->{kind} eq 'p';
	my $columns = columns($routine);
	my $type = $columns ? "($columns)" : type($routine->{returns});
	return ($routine->{retset} ? ' → rows of ' : ' → ') . $type;
}

sub signature
{
	my ($entry) = @_;
	my $routine = $entry->[0];
	my @parameters = map { parameter($entry, $_) } 0 .. inputs($routine) - 1;
	my $text = "explain.$routine->{name}(" . join(', ', @parameters) . ')' . result($routine);
	return $text if length $text <= $columns;
	# long ones with a line for each parameter
	return "explain.$routine->{name}(\n    " . join(",\n    ", @parameters) . "\n)" . wrap('', '    ', result($routine));
}

my %kind = (a => 'Aggregate, ', f => '', p => 'Procedure, ', w => 'Window function, ');
my %volatility = (i => 'immutable', s => 'stable', v => 'volatile');
my %parallel = (s => 'parallel safe', r => 'parallel restricted', u => 'parallel unsafe');

sub properties
{
	my ($entry) = @_;
	my $routine = $entry->[0];
	my @volatilities = distinct(map { $volatility{ $_->{volatility} } } @$entry);
	my $volatility = @volatilities == 2 ? 'immutable (stable with a model\'s name)' : $volatilities[0];
	my @all = ($kind{ $routine->{kind} } . $volatility);
	push @all, 'null if an argument is null' if $routine->{strict} && $routine->{kind} eq 'f';
	push @all, $parallel{ $routine->{parallel} };
	return ucfirst(join(', ', @all)) . '.';
}

# Comments are plain text: nothing in them is markup.
sub prose
{
	my ($text) = @_;
	$text =~ s/([*<>|\[\]])/\\$1/g;
	$text .= '.' if $text !~ /[.?]$/;
	return $text;
}

sub cell
{
	my ($text) = @_;
	$text =~ s/([*<>|\[\]])/\\$1/g;
	return $text;
}

sub write_entries
{
	my $heading = '';
	for my $entry (@_)
	{
		my $routine = $entry->[0];
		print "### $routine->{name}\n\n" if $routine->{name} ne $heading;
		$heading = $routine->{name};
		print "```\n", signature($entry), "\n```\n", prose($routine->{comment}), "\n\n*", properties($entry), "*\n\n";
	}
	return;
}

sub write_columns
{
	print "| column | type | |\n|---|---|---|\n";
	printf "| `%s` | %s | %s |\n", $_->{name}, type($_->{type}), cell($_->{comment}) for @_;
	print "\n";
	return;
}

sub write_type
{
	my ($type) = @_;
	print "### Type explain.$type->{name}\n\n", prose($type->{comment}), "\n\n";
	print 'Values: ', join(', ', map { "`$_`" } @{ $type->{labels} }), ".\n\n" if @{ $type->{labels} };
	write_columns(@{ $type->{columns} }) if @{ $type->{columns} };
	return;
}

# --- the document ------------------------------------------------------------

my @routines = routines();
my @types = types();
my @relations = relations();
my @fragments = fragments();
my @public = grep { !$_->{internal} } @routines;

print <<'END';
# Reference

Every function, aggregate and type, from the comments in the catalog (`\df+ explain.*` shows the same). Written by
`make reference`; do not edit. The heading of a section names the fragment of `sql/` that creates what is in it.

`model explain.model | model_name text` stands for two functions: one takes a model, one the name of a model in the
registry. `input record | float8[] | jsonb` is a row of a table, an array in feature order, or an object; `reference`
is of the same type as `input`. Parameters with DEFAULT can be left out, or be given by name: `top_k => 3`.

END
for my $fragment (@fragments)
{
	my @names = distinct(map { $_->{name} } grep { $fragment->{created}{ $_->{name} } } @public);
	my @own = map { $_->{name} } grep { $fragment->{created}{ $_->{name} } } @types;
	next if !@names && !@own;
	my $links = join ', ', (map { "[$_](#type-explain$_)" } @own), (map { "[$_](#$_)" } @names);
	print "* $fragment->{title}: $links\n";
}
print "* [Settings](#settings), [internal functions](#internal-functions)\n\n";

for my $fragment (@fragments)
{
	my @own = grep { $fragment->{created}{ $_->{name} } } @types;
	my @entries = fold(grep { $fragment->{created}{ $_->{name} } } @public);
	next if !@own && !@entries;
	print "## $fragment->{title} ($fragment->{word})\n\n`$fragment->{file}`",
	  -d "src/$fragment->{word}" ? ", `src/$fragment->{word}/`" : '', "\n\n";
	write_type($_) for @own;
	if ($fragment->{word} eq 'types')
	{
		my %context = (i => 'implicit', a => 'on assignment', e => 'explicit');
		print "Casts: ", join(', ', map { "$_->{source} to $_->{target} ($context{$_->{context}})" } casts()), ".\n\n";
		print "Models can be compared with `OPERATOR(explain.=)` and `OPERATOR(explain.<>)`, grouped and hashed.\n\n";
	}
	write_entries(@entries);
	if ($fragment->{word} eq 'registry')
	{
		for my $relation (@relations)
		{
			print '### ', $relation->{kind} eq 'v' ? 'View' : 'Table', " explain.$relation->{name}\n\n",
			  prose($relation->{comment}), "\n\n";
			write_columns(@{ $relation->{columns} });
		}
	}
}

print "## Settings\n\n";
for my $setting (settings())
{
	print "### $setting->{name}\n\n", prose($setting->{short}), ' ', prose($setting->{extra}), "\n\n";
	my $unit = $setting->{unit} ? " $setting->{unit}" : '';
	print "Default ", $setting->{initial} eq '' ? 'empty' : "`$setting->{initial}`$unit",
	  defined $setting->{least} ? ", from $setting->{least} to $setting->{most}" : '',
	  $setting->{context} eq 'superuser' ? '; only superusers may change it' : '', ".\n\n";
}

print "## Internal functions\n\nWhat types, operators and aggregates are made of; not for calling.\n\n| function | |\n|---|---|\n";
for my $entry (fold(grep { $_->{internal} } @routines))
{
	my $routine = $entry->[0];
	my $signature = signature($entry);
	$signature =~ s/\s*\n\s*/ /g;
	$signature =~ s/\|/\\|/g;
	print "| `$signature` | ", cell($routine->{comment}), " |\n";
}
