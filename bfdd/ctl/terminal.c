// SPDX-License-Identifier: GPL-2.0-or-later
#include "ctl/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define ENTER "\033[?1049h\033[?25l" /* alternate screen, no cursor */
#define LEAVE "\033[0m\033[?25h\033[?1049l"

static struct termios saved;
static bool taken;
static volatile sig_atomic_t signals;

static void write_all(const char *text, size_t length)
{
	while (length) {
		ssize_t n = write(STDOUT_FILENO, text, length);

		if (n <= 0)
			return; /* the terminal is gone: SIGHUP says so */
		text += n;
		length -= (size_t)n;
	}
}

static void on_signal(int number)
{
	signals |= number == SIGWINCH ? TERMINAL_RESIZE : number == SIGTSTP ? TERMINAL_STOP : TERMINAL_QUIT;
}

static void enter(void)
{
	struct termios raw = saved;

	raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
	raw.c_cc[VMIN] = 1;
	raw.c_cc[VTIME] = 0;
	tcsetattr(STDIN_FILENO, TCSANOW, &raw);
	write_all(ENTER, strlen(ENTER));
	taken = true;
}

void terminal_give_back(void)
{
	if (!taken)
		return;
	taken = false;
	write_all(LEAVE, strlen(LEAVE));
	tcsetattr(STDIN_FILENO, TCSANOW, &saved);
}

bool terminal_take(sigset_t *unblocked)
{
	static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP, SIGWINCH};
	struct sigaction action = {.sa_handler = on_signal};
	const char *term = getenv("TERM");
	sigset_t blocked;

	if (!isatty(STDOUT_FILENO) || tcgetattr(STDIN_FILENO, &saved) < 0 || !term || !strcmp(term, "dumb"))
		return false;
	sigemptyset(&blocked);
	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++) {
		sigaddset(&blocked, caught[i]);
		sigaction(caught[i], &action, NULL);
	}
	sigprocmask(SIG_BLOCK, &blocked, unblocked);
	for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++)
		sigdelset(unblocked, caught[i]);
	atexit(terminal_give_back);
	enter();
	return true;
}

void terminal_stop(void)
{
	terminal_give_back();
	raise(SIGSTOP);
	enter();
}

unsigned terminal_signals(void)
{
	unsigned came = (unsigned)signals; /* blocked here, so nothing comes between the two */

	signals = 0;
	return came;
}

void terminal_size(size_t *rows, size_t *columns)
{
	struct winsize size = {0};

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	*rows = size.ws_row ? size.ws_row : 24;
	*columns = size.ws_col ? size.ws_col : 80;
}

/* Copies a line of TEXT cut at COLUMNS; escape sequences take no room and are all kept, so that colours end.
 * Returns what follows the line. */
static const char *put_line(FILE *out, const char *text, size_t columns)
{
	size_t column = 0;

	for (; *text && *text != '\n'; text++) {
		if (*text == '\033') {
			size_t length = strcspn(text, "m");

			fwrite(text, 1, length, out);
			text += length;
			fputc('m', out);
			continue;
		}
		column += (*text & 0xc0) != 0x80;
		if (column <= columns)
			fputc(*text, out);
	}
	fputs("\033[K", out);
	return *text ? text + 1 : text;
}

void terminal_show(const char *text, size_t rows, size_t columns)
{
	char *frame = NULL;
	size_t size;
	FILE *out = open_memstream(&frame, &size);

	if (!out)
		return;
	fputs("\033[H", out);
	for (size_t row = 0; row < rows && *text; row++) {
		if (row)
			fputs("\r\n", out);
		text = put_line(out, text, columns);
	}
	fputs("\033[J", out);
	fclose(out);
	write_all(frame, size);
	free(frame);
}
