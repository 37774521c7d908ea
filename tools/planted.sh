#!/bin/sh
# planted.sh PROGRAM: the sanitizers must stop a program with planted faults.

set -u
check()
{
	if "$2" "$1" 2>&1 >/dev/null | grep -q "$3"; then echo "ok - $4"; else echo "not ok - $4"; fi
}
check 0 "$1" heap-buffer-overflow "a planted overrun is reported"
check 1 "$1" 'signed integer overflow' "a planted overflow is reported"
echo 1..2
