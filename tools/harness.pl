#!/usr/bin/perl
#
# harness.pl: run TAP programs one after the other and count their subtests.
#
# Reads lines "label<TAB>shell command".  Prints a line for each program, what
# failed below it, and at the end a line "N passed, N failed".  prove would do,
# but for that line and for showing failed tests by name.
#
use strict;
use warnings;
use File::Temp;
use TAP::Parser;
use Time::HiRes qw(time);

$| = 1;
my ($passed, $failed, $skipped, $start) = (0, 0, 0, time);

# What failed, and the comments from there on: some belong to the test above
# them, pg_regress's differences come after all tests.
sub failures
{
	my ($parser) = @_;
	my @shown;
	while (my $line = $parser->next)
	{
		push @shown, $line->as_string
		  if $line->is_bailout
		  || $line->is_test && !$line->is_ok
		  || $line->is_comment && @shown;
	}
	return @shown;
}

# What a failed program wrote besides, if not too much.
sub complaints
{
	my ($errors) = @_;
	open my $in, '<', $errors or return;
	my @lines = <$in>;
	chomp @lines;
	splice @lines, 60, @lines - 60, '...' if @lines > 60;
	return @lines;
}

sub run
{
	my ($label, $command) = @_;
	my $began = time;
	printf '%-40s ', $label;
	# Nothing may hang the whole run.  timeout gives the command a process group
	# of its own, which a terminal's ^C does not reach: we pass it on, and wait
	# for the private server to be stopped.
	my $errors = File::Temp->new;
	my $pid = open my $output, '-|', 'timeout', '-k', '60', '1500', 'sh', '-c',
	  "exec 2>$errors; $command"
	  or die "timeout: $!\n";
	local $SIG{INT} = local $SIG{TERM} = local $SIG{HUP} = sub {
		kill 'TERM', $pid;
		waitpid $pid, 0;
		print "\n";
		exit 130;
	};
	my $parser = TAP::Parser->new({ source => $output });
	my @shown = failures($parser);
	close $output;
	my $status = $?;

	my ($good, $bad, $skip) = (scalar $parser->actual_passed,
		scalar $parser->actual_failed, scalar $parser->skipped);
	# A program that died, or that did not run all it had planned, failed,
	# whatever it counted before.
	my @problems = $parser->parse_errors;
	push @problems, 'no test ran: ' . ($parser->skip_all || 'no reason given')
	  if !$parser->tests_run;
	push @problems, $status & 127 ? 'signal ' . ($status & 127) : 'exit status ' . ($status >> 8)
	  if $status;
	$bad ||= 1 if @problems;

	printf "%5d passed%s%s %6.1f s\n", $good - $skip,
	  $skip ? ", $skip skipped" : '', $bad ? ", $bad FAILED" : '', time - $began;
	print "    $_\n" for @shown, $bad ? (@problems, complaints("$errors")) : ();
	$passed += $good - $skip;
	$failed += $bad;
	$skipped += $skip;
	return;
}

while (my $line = <STDIN>)
{
	chomp $line;
	run(split /\t/, $line, 2);
}

printf "%d skipped\n", $skipped if $skipped;
printf "%.0f seconds\n", time - $start;
# An empty run proves nothing.
$failed ||= 1 if !$passed;
print "$passed passed, $failed failed\n";
exit($failed ? 1 : 0);
