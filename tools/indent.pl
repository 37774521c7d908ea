#!/usr/bin/perl
#
# indent.pl [--check] [FILE...]: lay out the C sources as PostgreSQL's own are,
# with Debian's pg_bsd_indent.  With --check, only say which would change.
#
# pg_bsd_indent knows C89: it has to be told the names of types, and C99's
# compound literals have to be hidden from it.  A file that it cannot read is
# named and left alone.
#
use strict;
use warnings;
use Getopt::Long;

# those of PostgreSQL's own pgindent
my @options = qw(-bad -bap -bbb -bc -bl -cli1 -cp33 -cdb -nce -d0 -di12 -nfc1 -i4
  -l79 -lp -lpl -nip -npro -sac -tpg -ts4);

GetOptions('check' => \my $check) or exit 2;
my $pg_config = $ENV{PG_CONFIG} // '/usr/lib/postgresql/15/bin/pg_config';
chomp(my $server = qx("$pg_config" --includedir-server));
my @files = @ARGV ? @ARGV : split /\n/, qx(find src test -name '*.[ch]' | sort);
my $scratch = "build/indent.$$";
my ($changed, $unread) = (0, 0);
mkdir 'build';

sub slurp
{
	my ($file) = @_;
	open my $in, '<', $file or die "$file: $!\n";
	local $/;
	return scalar <$in>;
}

sub spew
{
	my ($file, $text) = @_;
	open my $out, '>', $file or die "$file: $!\n";
	print $out $text;
	close $out or die "$file: $!\n";
	return;
}

# The names that a file sees declared with typedef.  Each file has its own
# list: where postgres.h is not included, "text" is a fine name for a variable.
sub typedefs
{
	my ($file, $source) = @_;
	my $kernel = $file =~ m{^src/kernel/|^test/(?:unit|fuzz)/};
	my $include = '-Isrc -Isrc/kernel -Itest/unit -Itest/fuzz'
	  . ($kernel ? '' : " -I$server -include postgres.h");
	my $text = qx(gcc -E -P -x c $include "$file" 2>/dev/null);
	my %names;

	# Drop the bodies of structs and functions from the inside out; what is
	# left of a typedef ends at its semicolon.
	1 while $text =~ s/\{[^{}]*\}/ /g;
	while ($text =~ /\btypedef\b([^;]*);/g)
	{
		my $declaration = $1;
		$declaration =~ s/__attribute__\s*\(\((?:[^()]|\([^()]*\))*\)\)//g;
		$names{$1} = 1
		  if $declaration =~ /\(\s*\*\s*(\w+)\s*\)/
		  || $declaration =~ /(\w+)\s*(?:\[[^\]]*\]\s*|\([^()]*\)\s*)*$/;
	}
	# a type that this file uses as a variable's name, too
	delete @names{ grep { $source =~ /\bchar\s+\*{0,2}$_\b/ } keys %names };
	return join '', map { "$_\n" } sort keys %names;
}

# (type) {.member = 1} becomes LITERAL_type(DOT_member = 1, LITERAL_END), and
# 0x1p-3 becomes HEX_1pm3, and back.
sub hide_literals
{
	my ($text) = @_;
	$text =~ s{\b0x([0-9a-fA-F.]+)p-(\d+)}{my ($digits, $power) = ($1, $2); $digits =~ s/\./_/; "HEX_${digits}pm$power"}ge;
	$text =~ s{\((\w+)\) \{([^{};]*)\}}
		{my ($type, $body) = ($1, $2); $body =~ s/(^|[\s,])\.(?=\w)/$1DOT_/g; "LITERAL_$type($body, LITERAL_END)"}ge;
	return $text;
}

sub show_literals
{
	my ($text) = @_;
	1 while $text =~ s{LITERAL_(\w+)\(((?:(?!LITERAL_).)*),\s+LITERAL_END\)}{($1) {$2}}s;
	$text =~ s/\bDOT_/./g;
	$text =~ s{\bHEX_([0-9a-fA-F_]+)pm(\d+)}{my ($digits, $power) = ($1, $2); $digits =~ s/_/./; "0x${digits}p-$power"}ge;
	return $text;
}

sub indented
{
	my ($file, $source) = @_;
	spew("$scratch.types", typedefs($file, $source));
	spew("$scratch.c", hide_literals($source));
	# it complains on stdout, in the text, as well as by its status
	my $text = qx(pg_bsd_indent @options -U$scratch.types <$scratch.c 2>$scratch.errors);
	return if $? || $text =~ /INDENT\*\* Error/;
	# the type of a function stands on a line of its own
	$text =~ s/^(\w[\w ]*?)[ \t]+(\*+)$/$1 $2/gm;
	# designated initialisers
	$text =~ s/,\.(?=\w+ =)/, ./g;
	return show_literals($text);
}

for my $file (@files)
{
	my $source = slurp($file);
	my $text = indented($file, $source);
	if (!defined $text)
	{
		print "cannot be read: $file\n";
		$unread++;
	}
	elsif ($text ne $source)
	{
		$changed++;
		print $check ? "would change: $file\n" : "changed: $file\n";
		spew($file, $text) if !$check;
		if ($check && $ENV{V}) { spew("$scratch.c", $text); system 'diff', '-u', $file, "$scratch.c"; }
	}
}
unlink glob "$scratch.*";
printf "%d files, %d %s, %d cannot be read\n", scalar @files, $changed,
  $check ? 'would change' : 'changed', $unread;
exit($check && $changed || $unread ? 1 : 0);
