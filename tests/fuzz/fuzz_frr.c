/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A stream of messages from whoever holds FRR's socket: each is taken whole or refused, and what is taken
 * comes back the same after being written and read again. */
#include <string.h>

#include "routing/frr_message.h"
#include "tests/fuzz/fuzz.h"

static void try_again(const struct frr_message *message)
{
	uint8_t buf[FRR_ENCODED_MAX], second[FRR_ENCODED_MAX];
	size_t size = frr_encode(message, buf);
	struct frr_message again;

	promise(size <= sizeof(buf));
	promise(frr_decode(buf, size - 1, &again) == 0);
	promise(frr_decode(buf, size, &again) == (int)size);
	promise(again.type == message->type && again.id == message->id);
	promise(frr_encode(&again, second) == size && !memcmp(buf, second, size));
	if (message->type == FRR_ADD_SESSION)
		promise(!strcmp(again.session.interface, message->session.interface) &&
			addr_equal(&again.session.peer, &message->session.peer) &&
			again.session.min_echo_tx == message->session.min_echo_tx &&
			again.session.min_echo_rx == message->session.min_echo_rx);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct frr_message message;

	while (size) {
		int n = frr_decode(data, size, &message);

		promise(n <= (int)size && n <= FRR_MESSAGE_MAX && n >= FRR_BAD_SESSION);
		if (n <= 0) {
			promise(n == 0 || strcmp(frr_error_text(n), "no error") != 0);
			promise(n != 0 || size < FRR_MESSAGE_MAX);
			break;
		}
		try_again(&message);
		data += n;
		size -= (size_t)n;
	}
	return 0;
}
