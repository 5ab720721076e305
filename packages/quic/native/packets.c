/*
 * The packets of an endpoint: the end of OpenSSL's chain, which reads and writes the socket.
 *
 * P1. Packets that OpenSSL sends wait in the outbox and leave with one system call at the end of the tick, or when the outbox is full: an
 *     acknowledgement and the answer to what it acknowledges then wake the peer once.
 * P2. What the system refuses to send (no route, no buffer, a firewall) is one lost packet, which QUIC sends again. OpenSSL's own end takes
 *     such an error for the end of the socket, and with it of every connection.
 * P3. The socket is read only while it may hold something: from the moment that the loop says so, until it gives less than it was asked for.
 * P4. An error that is read from the socket belongs to a packet that was sent before, and is passed over.
 * P5. A system without calls for many packets at once gets them one by one.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "quic.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Packets of one system call; OpenSSL asks for as many at once. */
#define BATCH 32
/* Errors of earlier packets that one reading passes over; each is given once, so more are left for the next. */
#define ERRORS_PASSED 8

#ifdef __linux__
#define HAS_BATCHES 1
typedef struct mmsghdr batch_entry;
#else
#define HAS_BATCHES 0
typedef struct {
  struct msghdr msg_hdr;
  unsigned int msg_len;
} batch_entry;
#endif

static int nothing_now(void) {
  ERR_raise(ERR_LIB_BIO, BIO_R_NON_FATAL);
  return 0;
}

static BIO_MSG *message_at(BIO_MSG *messages, size_t stride, size_t index) {
  return (BIO_MSG *)(void *)((char *)messages + index * stride);
}

/* Sends the first of `count`, and more where the system can; the number that went, or -1. */
static int send_some(struct endpoint *endpoint, batch_entry *entries, unsigned int count) {
#if HAS_BATCHES
  if (!endpoint->sends_singly) return sendmmsg(endpoint->fd, entries, count, 0);
#endif
  (void)count;
  return sendmsg(endpoint->fd, &entries[0].msg_hdr, 0) < 0 ? -1 : 1;
}

static int receive_some(struct endpoint *endpoint, batch_entry *entries, unsigned int count) {
#if HAS_BATCHES
  if (!endpoint->sends_singly) return recvmmsg(endpoint->fd, entries, count, 0, NULL);
#endif
  (void)count;
  ssize_t length = recvmsg(endpoint->fd, &entries[0].msg_hdr, 0);
  if (length < 0) return -1;
  entries[0].msg_len = (unsigned int)length;
  return 1;
}

static bool is_full(int error) {
  return error == EAGAIN || error == EWOULDBLOCK;
}

static unsigned int fill_batch(struct outbox *outbox, batch_entry *entries, struct iovec *vectors) {
  unsigned int count = 0;
  memset(entries, 0, BATCH * sizeof *entries);
  for (uint32_t at = outbox->first; at < outbox->end && count < BATCH; at += 1, count += 1) {
    struct packet *packet = &outbox->packets[at];
    vectors[count] = (struct iovec){.iov_base = packet->bytes, .iov_len = packet->length};
    entries[count].msg_hdr.msg_name = &packet->to;
    entries[count].msg_hdr.msg_namelen = packet->to_length;
    entries[count].msg_hdr.msg_iov = &vectors[count];
    entries[count].msg_hdr.msg_iovlen = 1;
  }
  return count;
}

/* Sends what waits; what the socket has no room for goes on waiting. */
void packets_flush(struct endpoint *endpoint) {
  struct outbox *outbox = &endpoint->outbox;
  batch_entry entries[BATCH];
  struct iovec vectors[BATCH];
  while (outbox->first < outbox->end) {
    int sent = send_some(endpoint, entries, fill_batch(outbox, entries, vectors));
    if (sent > 0) {
      outbox->first += (uint32_t)sent;
    } else if (is_full(errno)) {
      return;
    } else if (errno == ENOSYS && !endpoint->sends_singly) {
      endpoint->sends_singly = true;
    } else if (errno != EINTR) {
      endpoint->unsent += 1;
      outbox->first += 1;
    }
  }
  outbox->first = outbox->end = 0;
}

bool packets_wait(const struct endpoint *endpoint) {
  return endpoint->outbox.first < endpoint->outbox.end;
}

static socklen_t address_of(const BIO_ADDR *peer, union any_address *out) {
  size_t length = 0;
  memset(out, 0, sizeof *out);
  out->any.sa_family = (sa_family_t)BIO_ADDR_family(peer);
  if (out->any.sa_family == AF_INET) {
    out->v4.sin_port = BIO_ADDR_rawport(peer);
    return BIO_ADDR_rawaddress(peer, &out->v4.sin_addr, &length) == 1 ? sizeof out->v4 : 0;
  }
  if (out->any.sa_family != AF_INET6) return 0;
  out->v6.sin6_port = BIO_ADDR_rawport(peer);
  return BIO_ADDR_rawaddress(peer, &out->v6.sin6_addr, &length) == 1 ? sizeof out->v6 : 0;
}

static bool has_room(struct endpoint *endpoint) {
  if (endpoint->outbox.end == OUTBOX_MAX) packets_flush(endpoint);
  return endpoint->outbox.end < OUTBOX_MAX;
}

static void put(struct endpoint *endpoint, const BIO_MSG *message) {
  struct packet *packet = &endpoint->outbox.packets[endpoint->outbox.end];
  packet->to_length = message->peer == NULL ? 0 : address_of(message->peer, &packet->to);
  if (packet->to_length == 0 || message->data_len > PACKET_MAX) {
    endpoint->unsent += 1;
    return;
  }
  memcpy(packet->bytes, message->data, message->data_len);
  packet->length = (uint16_t)message->data_len;
  endpoint->outbox.end += 1;
}

static int on_send(BIO *bio, BIO_MSG *messages, size_t stride, size_t count, uint64_t flags, size_t *processed) {
  struct endpoint *endpoint = BIO_get_data(bio);
  size_t taken = 0;
  (void)flags;
  while (taken < count && has_room(endpoint)) {
    put(endpoint, message_at(messages, stride, taken));
    taken += 1;
  }
  *processed = taken;
  return taken > 0 || count == 0 ? 1 : nothing_now();
}

/* The number of packets that came, 0 when there is none. */
static int receive(struct endpoint *endpoint, batch_entry *entries, unsigned int count) {
  for (int passed = 0; passed < ERRORS_PASSED;) {
    int got = receive_some(endpoint, entries, count);
    if (got >= 0) return got;
    if (is_full(errno)) return 0;
    if (errno == ENOSYS && !endpoint->sends_singly)
      endpoint->sends_singly = true;
    else
      passed += 1;
  }
  return 0;
}

static bool name_peer(BIO_ADDR *peer, const union any_address *from) {
  if (peer == NULL) return true;
  if (from->any.sa_family == AF_INET)
    return BIO_ADDR_rawmake(peer, AF_INET, &from->v4.sin_addr, sizeof from->v4.sin_addr, from->v4.sin_port) == 1;
  return BIO_ADDR_rawmake(peer, AF_INET6, &from->v6.sin6_addr, sizeof from->v6.sin6_addr, from->v6.sin6_port) == 1;
}

static int on_receive(BIO *bio, BIO_MSG *messages, size_t stride, size_t count, uint64_t flags, size_t *processed) {
  struct endpoint *endpoint = BIO_get_data(bio);
  batch_entry entries[BATCH];
  struct iovec vectors[BATCH];
  union any_address from[BATCH];
  unsigned int wanted = count > BATCH ? BATCH : (unsigned int)count;
  (void)flags;
  *processed = 0;
  if (!endpoint->may_read || wanted == 0) return nothing_now();
  memset(entries, 0, wanted * sizeof *entries);
  for (unsigned int at = 0; at < wanted; at += 1) {
    BIO_MSG *message = message_at(messages, stride, at);
    vectors[at] = (struct iovec){.iov_base = message->data, .iov_len = message->data_len};
    entries[at].msg_hdr.msg_name = &from[at];
    entries[at].msg_hdr.msg_namelen = sizeof from[at];
    entries[at].msg_hdr.msg_iov = &vectors[at];
    entries[at].msg_hdr.msg_iovlen = 1;
  }
  unsigned int got = (unsigned int)receive(endpoint, entries, wanted);
  endpoint->may_read = got == wanted || (got > 0 && (endpoint->sends_singly || !HAS_BATCHES));
  for (unsigned int at = 0; at < got; at += 1) {
    BIO_MSG *message = message_at(messages, stride, at);
    message->data_len = name_peer(message->peer, &from[at]) ? entries[at].msg_len : 0;
    message->flags = 0;
  }
  *processed = got;
  return got > 0 ? 1 : nothing_now();
}

/* Datagrams name their peer in both directions; there is nothing to flush, and no other question has an answer here. */
static long on_control(BIO *bio, int command, long number, void *pointer) {
  (void)bio;
  (void)number;
  (void)pointer;
  if (command == BIO_CTRL_DGRAM_GET_EFFECTIVE_CAPS || command == BIO_CTRL_DGRAM_GET_CAPS)
    return BIO_DGRAM_CAP_HANDLES_DST_ADDR | BIO_DGRAM_CAP_PROVIDES_SRC_ADDR;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

/* The end of the chain for the endpoint's socket, or NULL. It belongs to the caller; packets_close comes after its last use. */
BIO *packets_open(struct endpoint *endpoint) {
  endpoint->outbox.packets = calloc(OUTBOX_MAX, sizeof *endpoint->outbox.packets);
  endpoint->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK | BIO_TYPE_START, "datagrams");
  if (endpoint->outbox.packets == NULL || endpoint->method == NULL) return NULL;
  BIO_meth_set_sendmmsg(endpoint->method, on_send);
  BIO_meth_set_recvmmsg(endpoint->method, on_receive);
  BIO_meth_set_ctrl(endpoint->method, on_control);
  BIO *bio = BIO_new(endpoint->method);
  if (bio == NULL) return NULL;
  BIO_set_data(bio, endpoint);
  BIO_set_init(bio, 1);
  return bio;
}

void packets_close(struct endpoint *endpoint) {
  BIO_meth_free(endpoint->method);
  free(endpoint->outbox.packets);
  endpoint->method = NULL;
  endpoint->outbox = (struct outbox){0};
}
