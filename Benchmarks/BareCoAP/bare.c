// The best that can be done with libcoap alone: many DTLS-PSK clients in one process, each with a handshake and one
// POST, on contexts of 256 sessions behind one epoll. Prints what the client's side cost, as JSON.
//
//   bare HOST PORT[,PORT...] COUNT IN_FLIGHT KEY_HEX IDENTITY_PREFIX
#include <sys/epoll.h>
#include <sys/resource.h>
#include <arpa/inet.h>
#include <coap3/coap.h>
#include <malloc.h>
#include <openssl/ssl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { sessions_per_context = 256, batch = 256 };

static int (*saved)(const SSL *, const SSL_CTX *, int, int, int, void *, void *);
static int connected, answered, failed;
static coap_context_t *empty;

static int narrow(const SSL *s, const SSL_CTX *c, int operation, int bits, int nid, void *other, void *extra) {
  if ((operation == SSL_SECOP_CIPHER_SUPPORTED || operation == SSL_SECOP_CIPHER_SHARED ||
       operation == SSL_SECOP_CIPHER_CHECK) && (SSL_CIPHER_get_id(other) & 0xFFFF) != 0xC0A8)
    return 0;
  return saved(s, c, operation, bits, nid, other, extra);
}

static void made(void *parent, void *p, CRYPTO_EX_DATA *data, int index, long l, void *a) {
  saved = SSL_CTX_get_security_callback(parent);
  SSL_CTX_set_security_callback(parent, narrow);
}

static void post(coap_session_t *session) {
  coap_pdu_t *pdu = coap_new_pdu(COAP_MESSAGE_CON, COAP_REQUEST_CODE_POST, session);
  size_t length;
  uint8_t token[8], name[40];
  coap_session_new_token(session, &length, token);
  coap_add_token(pdu, length, token);
  coap_add_option(pdu, COAP_OPTION_URI_PATH, 2, (const uint8_t *)"rd");
  uint8_t format = 40;
  coap_add_option(pdu, COAP_OPTION_CONTENT_FORMAT, 1, &format);
  int n = snprintf((char *)name, sizeof name, "ep=device-%06zu", (size_t)coap_session_get_app_data(session));
  coap_add_option(pdu, COAP_OPTION_URI_QUERY, n, name);
  coap_add_option(pdu, COAP_OPTION_URI_QUERY, 6, (const uint8_t *)"lt=300");
  coap_add_option(pdu, COAP_OPTION_URI_QUERY, 9, (const uint8_t *)"lwm2m=1.1");
  coap_add_option(pdu, COAP_OPTION_URI_QUERY, 3, (const uint8_t *)"b=U");
  const char *links = "</>;rt=\"oma.lwm2m\";ct=110,</1/0>,</3/0>,</4/0>,</5/0>,</6/0>,</3303/0>";
  coap_add_data(pdu, strlen(links), (const uint8_t *)links);
  coap_send(session, pdu);
}

static int event(coap_session_t *session, coap_event_t what) {
  if (what == COAP_EVENT_DTLS_CONNECTED) {
    connected++;
    post(session);
  } else if (what == COAP_EVENT_DTLS_ERROR || what == COAP_EVENT_DTLS_CLOSED) {
    failed++;
  }
  return 0;
}

static coap_response_t response(coap_session_t *s, const coap_pdu_t *sent, const coap_pdu_t *received, coap_mid_t mid) {
  answered++;
  return COAP_RESPONSE_OK;
}

static double seconds(struct timeval t) { return t.tv_sec + t.tv_usec / 1e6; }

static double cpu(void) {
  struct rusage usage;
  getrusage(RUSAGE_SELF, &usage);
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

static long resident(void) {
  long size = 0, pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  if (file && fscanf(file, "%ld %ld", &size, &pages) != 2) pages = 0;
  if (file) fclose(file);
  return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

int main(int argc, char **argv) {
  if (argc != 7) return 64;
  int ports[1024], port_count = 0, count = atoi(argv[3]), in_flight = atoi(argv[4]);
  for (char *port = strtok(argv[2], ","); port && port_count < 1024; port = strtok(NULL, ",")) ports[port_count++] = atoi(port);
  uint8_t key[64];
  size_t key_length = strlen(argv[5]) / 2;
  for (size_t i = 0; i < key_length && i < sizeof key; i++) sscanf(argv[5] + 2 * i, "%2hhx", &key[i]);
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);

  SSL_CTX_get_ex_new_index(0, NULL, made, NULL, NULL);
  coap_startup();
  coap_set_log_level(LOG_EMERG);
  coap_dtls_set_log_level(LOG_EMERG);
  empty = coap_new_context(NULL);
  int context_count = (count + sessions_per_context - 1) / sessions_per_context, opened = 0;
  coap_context_t **contexts = calloc(context_count, sizeof *contexts);
  int outer = epoll_create1(0);
  struct epoll_event events[batch], inner[batch];

  long memory = resident();
  double cpu_before = cpu();
  struct timespec start, now, pass;
  clock_gettime(CLOCK_MONOTONIC, &start);
  pass = start;
  while (answered + failed < count) {
    while (opened < count && opened - answered - failed < in_flight) {
      int index = opened / sessions_per_context;
      if (!contexts[index]) {
        contexts[index] = coap_new_context(NULL);
        coap_register_event_handler(contexts[index], event);
        coap_register_response_handler(contexts[index], response);
        struct epoll_event add = {.events = EPOLLIN, .data.u32 = index};
        epoll_ctl(outer, EPOLL_CTL_ADD, coap_context_get_coap_fd(contexts[index]), &add);
      }
      coap_address_t peer;
      coap_address_init(&peer);
      peer.size = sizeof peer.addr.sin;
      peer.addr.sin.sin_family = AF_INET;
      peer.addr.sin.sin_port = htons(ports[opened % port_count]);
      inet_pton(AF_INET, argv[1], &peer.addr.sin.sin_addr);
      // Several source addresses, so that ports do not run out beside others on this machine.
      coap_address_t source = peer;
      source.addr.sin.sin_port = 0;
      source.addr.sin.sin_addr.s_addr = htonl(0x7F000002 + opened % 8);
      // libcoap lets its sockets share ports, so a port is asked for with a socket that does not.
      socklen_t size = sizeof source.addr.sin;
      int probe = socket(AF_INET, SOCK_DGRAM, 0);
      bind(probe, &source.addr.sa, size);
      getsockname(probe, &source.addr.sa, &size);
      close(probe);
      char identity[64];
      snprintf(identity, sizeof identity, "%s%06d", argv[6], opened);
      coap_session_t *session = coap_new_client_session_psk(contexts[index], &source, &peer, COAP_PROTO_DTLS, identity, key, key_length);
      if (!session) { failed++; opened++; continue; }
      coap_session_set_app_data(session, (void *)(size_t)opened);
      opened++;
    }
    int ready = epoll_wait(outer, events, batch, 50);
    for (int i = 0; i < ready; i++) {
      coap_context_t *context = contexts[events[i].data.u32];
      int n = epoll_wait(coap_context_get_coap_fd(context), inner, batch, 0), timer = 0;
      for (int j = 0; j < n; j++) timer |= inner[j].data.ptr == NULL;
      if (n > 0) coap_io_do_epoll(empty, inner, n);
      if (timer) coap_io_process(context, COAP_IO_NO_WAIT);
    }
    clock_gettime(CLOCK_MONOTONIC, &now);
    if ((now.tv_sec - pass.tv_sec) * 1000 + (now.tv_nsec - pass.tv_nsec) / 1000000 >= 250) {
      coap_tick_t ticks;
      coap_ticks(&ticks);
      for (int i = 0; i < context_count && contexts[i]; i++) coap_io_prepare_epoll(contexts[i], ticks);
      pass = now;
    }
  }
  clock_gettime(CLOCK_MONOTONIC, &now);
  double used = cpu() - cpu_before;
  printf("{\"program\": \"bare libcoap\", \"devices\": %d, \"answered\": %d, \"failed\": %d, \"seconds\": %.2f, "
         "\"cpuMillisecondsPerDevice\": %.4f, \"residentKiBPerDevice\": %.1f}\n",
         count, answered, failed, (now.tv_sec - start.tv_sec) + (now.tv_nsec - start.tv_nsec) / 1e9,
         used * 1000 / count, (double)(resident() - memory) / count);
  fflush(stdout);
  _exit(failed != 0);
}
