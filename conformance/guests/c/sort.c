/* Sorts records with qsort through a table of comparators. The comparator gives up the processor, so the guest can be moved in
 * the middle of a sort, with qsort's frames and a function pointer on its stack.
 *
 *   sort COUNT [EVERY]    EVERY: comparisons between two yields, 0 for none
 *
 * Prints the ends of each order and a checksum of all; its status is the checksum's last seven bits. */
#include <inttypes.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct record {
  uint32_t key;
  double weight;
  char *name;
};

typedef int comparator(const void *, const void *);

static unsigned long comparisons;
static unsigned long every;

static void breathe(void) {
  if (every != 0 && ++comparisons % every == 0) sched_yield();
}

static int by_key(const void *a, const void *b) {
  breathe();
  uint32_t x = ((const struct record *)a)->key, y = ((const struct record *)b)->key;
  return (x > y) - (x < y);
}

static int by_weight(const void *a, const void *b) {
  double x = ((const struct record *)a)->weight, y = ((const struct record *)b)->weight;
  if (x != y) return x < y ? 1 : -1;
  return by_key(a, b);
}

static int by_name(const void *a, const void *b) {
  breathe();
  int order = strcmp(((const struct record *)a)->name, ((const struct record *)b)->name);
  return order != 0 ? order : by_key(a, b);
}

static const struct {
  const char *label;
  comparator *compare;
} orders[] = {{"key", by_key}, {"weight", by_weight}, {"name", by_name}};

static uint32_t state = 2463534242u;

static uint32_t next(void) {
  state ^= state << 13;
  state ^= state >> 17;
  state ^= state << 5;
  return state;
}

static char *format(uint32_t key, double weight) {
  int length = snprintf(NULL, 0, "%.3f/%08" PRIx32, weight, key);
  char *text = malloc((size_t)length + 1);
  if (text != NULL) snprintf(text, (size_t)length + 1, "%.3f/%08" PRIx32, weight, key);
  return text;
}

static uint32_t checksum(const struct record *records, size_t count) {
  uint32_t sum = 2166136261u;
  for (size_t i = 0; i < count; i++)
    for (const char *at = records[i].name; *at != '\0'; at++) sum = (sum ^ (unsigned char)*at) * 16777619u;
  return sum;
}

int main(int argc, char **argv) {
  size_t count = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
  every = argc > 2 ? strtoul(argv[2], NULL, 10) : 0;
  if (count == 0 || count > 1000000) {
    fprintf(stderr, "usage: %s COUNT [EVERY], COUNT from 1 to 1000000\n", argv[0]);
    return 2;
  }
  struct record *records = calloc(count, sizeof *records);
  if (records == NULL) return 3;
  for (size_t i = 0; i < count; i++) {
    uint32_t key = next();
    records[i].key = key;
    records[i].weight = (double)(next() % 5000) / 7.0;
    records[i].name = format(key, records[i].weight);
    if (records[i].name == NULL) return 3;
  }
  uint32_t sum = 0;
  for (size_t i = 0; i < sizeof orders / sizeof *orders; i++) {
    qsort(records, count, sizeof *records, orders[i].compare);
    sum ^= checksum(records, count) + (uint32_t)i;
    printf("%-6s first %s last %s\n", orders[i].label, records[0].name, records[count - 1].name);
  }
  for (size_t i = 0; i < count; i++) free(records[i].name);
  free(records);
  printf("checksum %08" PRIx32 "\n", sum);
  return (int)(sum & 127);
}
