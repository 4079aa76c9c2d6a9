/// Calls `function` in a real-time context: the sanitizer reports whatever in it may block.
void call_in_real_time(void (*function)(void));
