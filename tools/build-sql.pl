#!/usr/bin/perl
#
# Joins the fragments in sql/ into the install script.
#
#	build-sql.pl VERSION sql/10-types.sql sql/20-build.sql ... > script
#
# Functions that take a model, or a model and an input, exist in several
# overloads that differ in nothing but argument types.  A fragment declares
# them once:
#
#	-- @overloads model input      (6: model by value or name; record, array, jsonb)
#	-- @overloads model            (2: by value or name)
#	-- @overloads input            (3: record, array, jsonb)
#	CREATE FUNCTION explain.f(@model@, @input@, ...) ... 'explain_f_@overload@' ...
#		LANGUAGE C @volatility@ ...;
#	COMMENT ON FUNCTION explain.f(@model_type@, @input_type@, ...) IS '...';
#	-- @end
#
# @model@ and @input@ are the parameters with names, @model_type@ and
# @input_type@ the bare types, @overload@ the suffix of the C symbol.  A model
# by value makes the function IMMUTABLE; by name it reads the registry: STABLE.

use strict;
use warnings;

my @models = (
	{ suffix => 'value', type => 'explain.model', name => 'model', volatility => 'IMMUTABLE' },
	{ suffix => 'name',  type => 'text',          name => 'model_name', volatility => 'STABLE' });
my @inputs = (
	{ suffix => 'record', type => 'record' },
	{ suffix => 'array',  type => 'float8[]' },
	{ suffix => 'jsonb',  type => 'jsonb' });

sub expand
{
	my ($text, $model, $input) = @_;
	my $overload = join('_', map { $_->{suffix} } grep { defined } $model, $input);

	$text =~ s/\@overload\@/$overload/g;
	if ($model)
	{
		$text =~ s/\@model\@/$model->{name} $model->{type}/g;
		$text =~ s/\@model_type\@/$model->{type}/g;
		$text =~ s/\@volatility\@/$model->{volatility}/g;
	}
	if ($input)
	{
		$text =~ s/\@input\@/input $input->{type}/g;
		$text =~ s/\@input_type\@/$input->{type}/g;
	}
	die "unknown placeholder $1\n" if $text =~ /(\@[a-z_]+\@)/;
	return $text;
}

sub expand_all
{
	my ($kinds, $text) = @_;
	my $out = '';

	return join('', map { expand($text, undef, $_) } @inputs) if $kinds eq 'input';
	for my $model (@models)
	{
		if ($kinds eq 'model')
		{
			$out .= expand($text, $model, undef);
		}
		elsif ($kinds eq 'model input')
		{
			$out .= expand($text, $model, $_) for @inputs;
		}
		else
		{
			die "unknown overloads \"$kinds\"\n";
		}
	}
	return $out;
}

sub fragment
{
	my ($file) = @_;
	my ($out, $kinds, $block) = ('', undef, '');

	open(my $in, '<', $file) or die "could not open $file: $!\n";
	while (my $line = <$in>)
	{
		if ($line =~ /^-- \@overloads (.*?)\s*$/)
		{
			($kinds, $block) = ($1, '');
		}
		elsif ($line =~ /^-- \@end\s*$/)
		{
			$out .= expand_all($kinds, $block);
			$kinds = undef;
		}
		elsif (defined $kinds)
		{
			$block .= $line;
		}
		else
		{
			$out .= $line;
		}
	}
	die "$file: \@overloads without \@end\n" if defined $kinds;
	return $out;
}

my $version = shift @ARGV;

print "/* explain_ext--$version.sql: joined from sql/ by tools/build-sql.pl; do not edit */\n\n";
print "-- complain if script is sourced in psql, rather than via CREATE EXTENSION\n";
print "\\echo Use \"CREATE EXTENSION explain_ext\" to load this file. \\quit\n\n";
print fragment($_), "\n" for @ARGV;
