/* An agent in C: keeps a growing array of the numbers it receives (u32, little-endian), and replies to each with their count, sum
 * and median as text. Waits for messages inside a recursion. A message of four zero bytes ends it; the status is the count. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "glia.h"

static uint32_t *numbers;
static size_t count, room;

static int ascending(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static uint32_t median(void) {
  uint32_t *sorted = malloc(count * sizeof *sorted);
  if (sorted == NULL) return 0;
  memcpy(sorted, numbers, count * sizeof *sorted);
  qsort(sorted, count, sizeof *sorted, ascending);
  uint32_t middle = sorted[count / 2];
  free(sorted);
  return middle;
}

static int keep(uint32_t number) {
  if (count == room) {
    size_t wanted = room == 0 ? 4 : room * 2;
    uint32_t *grown = realloc(numbers, wanted * sizeof *grown);
    if (grown == NULL) return 0;
    numbers = grown;
    room = wanted;
  }
  numbers[count++] = number;
  return 1;
}

/* One message per call, eight calls deep, so that a move finds frames of the guest's own. */
static int serve(int depth, uint64_t sum) {
  uint8_t message[4];
  int32_t length = glia_receive(message, sizeof message);
  if (length != 4) return length == GLIA_E_TOO_BIG ? -1 : -2;
  uint32_t number;
  memcpy(&number, message, 4);
  if (number == 0) return 0;
  if (!keep(number)) return -3;
  sum += number;
  char text[96];
  int written = snprintf(text, sizeof text, "%zu numbers, sum %" PRIu64 ", median %" PRIu32, count, sum, median());
  if (glia_reply(text, (size_t)written) != 0) return -4;
  return depth < 8 ? serve(depth + 1, sum) : 1;
}

int main(void) {
  uint64_t sum = 0;
  int state;
  while ((state = serve(0, sum)) == 1) {
    sum = 0;
    for (size_t i = 0; i < count; i++) sum += numbers[i];
  }
  return state < 0 ? 100 - state : (int)(count & 63);
}
