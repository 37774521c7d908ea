/*
 * asaninit.c
 *		Wakes AddressSanitizer before any other constructor runs.
 *
 * Preloaded into a server that was not built with it, the runtime would wake
 * at the first intercepted call, from inside the dynamic loader, and hang.
 * Linked with -z initfirst, this library's constructor is the first of all.
 */
extern void __asan_init(void);

__attribute__((constructor)) static void
wake(void)
{
	__asan_init();
}
