/* A Modbus server on libmodbus, for the driver to read and write: a stack that this project did not write.
 *
 *     libmodbus_server tcp          a free port of 127.0.0.1; the first line out is "ready PORT"
 *     libmodbus_server rtu PATH     unit 7 at 19200 8N1; the first line out is "ready 0"
 *
 * Registers are filled by libmodbus' own macros and setters, input and holding alike (ADDRESSES below). After each
 * write one line shows what libmodbus now finds there, decoded by its own getters:
 *
 *     wrote FUNCTION {"coils": "0101...", "u16": 1, "i16": -2, "u32": ..., ..., "f64": ...}
 *
 * Ends when standard input does.
 */
#include <errno.h>
#include <inttypes.h>
#include <modbus/modbus.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <unistd.h>

enum { BITS = 24, REGISTERS = 40, UNIT = 7 };

/* ADDRESSES: 0-based; "_le" has its low word first. */
enum { U16 = 0, I16 = 1, U32 = 2, U32_LE = 4, I32 = 6, F32 = 8, F32_LE = 10, U64 = 12, I64 = 16, F64 = 20, FLAGS = 24 };

/* The setters with _abcd in their name swap the bytes in 3.1.6; this pair, low word first, is right in all versions. */
static void set_float(float value, uint16_t *at)
{
    uint16_t swapped[2];
    modbus_set_float(value, swapped);
    at[0] = swapped[1];
    at[1] = swapped[0];
}

static float get_float(const uint16_t *at)
{
    uint16_t swapped[2] = {at[1], at[0]};
    return modbus_get_float(swapped);
}

static void set_double(double value, uint16_t *at)
{
    uint64_t raw;
    memcpy(&raw, &value, sizeof raw);
    MODBUS_SET_INT64_TO_INT16(at, 0, raw);
}

static double get_double(const uint16_t *at)
{
    uint64_t raw = (uint64_t) MODBUS_GET_INT64_FROM_INT16(at, 0);
    double value;
    memcpy(&value, &raw, sizeof value);
    return value;
}

static void fill(uint16_t *table)
{
    table[U16] = 50123;
    table[I16] = (uint16_t) (int16_t) -12345;
    MODBUS_SET_INT32_TO_INT16(table, U32, (int32_t) 4000000123u);
    table[U32_LE] = 0x5678;
    table[U32_LE + 1] = 0x1234;
    MODBUS_SET_INT32_TO_INT16(table, I32, -2000000123);
    set_float(230.5f, table + F32);
    modbus_set_float(-0.125f, table + F32_LE);
    MODBUS_SET_INT64_TO_INT16(table, U64, (int64_t) 123456789012345ll);
    MODBUS_SET_INT64_TO_INT16(table, I64, (int64_t) -123456789012345ll);
    set_double(50.01171875, table + F64);
    table[FLAGS] = 1u << 5;
}

static void show(int function, const modbus_mapping_t *map)
{
    const uint16_t *at = map->tab_registers;
    printf("wrote %d {\"coils\": \"", function);
    for (int i = 0; i < BITS; i++)
        putchar(map->tab_bits[i] ? '1' : '0');
    printf("\", \"u16\": %u, \"i16\": %d, \"u32\": %" PRIu32 ", \"u32_le\": %" PRIu32 ", \"i32\": %" PRId32,
           at[U16], (int16_t) at[I16], (uint32_t) MODBUS_GET_INT32_FROM_INT16(at, U32),
           (uint32_t) at[U32_LE + 1] << 16 | at[U32_LE], (int32_t) MODBUS_GET_INT32_FROM_INT16(at, I32));
    printf(", \"f32\": %.9g, \"f32_le\": %.9g, \"u64\": %" PRIu64 ", \"i64\": %" PRId64 ", \"f64\": %.17g}\n",
           get_float(at + F32), modbus_get_float(at + F32_LE),
           (uint64_t) MODBUS_GET_INT64_FROM_INT16(at, U64), (int64_t) MODBUS_GET_INT64_FROM_INT16(at, I64),
           get_double(at + F64));
    fflush(stdout);
}

/* One request and its answer; false when the peer is gone. */
static int serve(modbus_t *context, modbus_mapping_t *map)
{
    uint8_t query[MODBUS_MAX_ADU_LENGTH];
    int length = modbus_receive(context, query);
    if (length < 0)
        return 0;
    if (length == 0) /* another unit's */
        return 1;
    if (modbus_reply(context, query, length, map) < 0)
        return 0;
    int function = query[modbus_get_header_length(context)];
    if (function == 5 || function == 6 || function == 15 || function == 16)
        show(function, map);
    return 1;
}

/* Serves until standard input ends; `listener` accepts the next connection where there is one, else -1. */
static void run(modbus_t *context, modbus_mapping_t *map, int listener)
{
    int connection = listener < 0 ? modbus_get_socket(context) : -1;
    for (;;) {
        struct pollfd waiting[3] = {{0, POLLIN, 0}, {listener, POLLIN, 0}, {connection, POLLIN, 0}};
        if (poll(waiting, 3, -1) < 0 && errno != EINTR)
            return;
        if (waiting[0].revents)
            return;
        if (waiting[1].revents) {
            if (connection >= 0)
                close(connection);
            connection = modbus_tcp_accept(context, &listener);
        } else if (waiting[2].revents && !serve(context, map) && listener >= 0) {
            close(connection);
            connection = -1;
        }
    }
}

int main(int argc, char **argv)
{
    int rtu = argc == 3 && strcmp(argv[1], "rtu") == 0;
    if (!rtu && !(argc == 2 && strcmp(argv[1], "tcp") == 0))
        return 2;
    modbus_t *context = rtu ? modbus_new_rtu(argv[2], 19200, 'N', 8, 1) : modbus_new_tcp("127.0.0.1", 0);
    modbus_mapping_t *map = modbus_mapping_new(BITS, BITS, REGISTERS, REGISTERS);
    if (context == NULL || map == NULL)
        return 1;
    fill(map->tab_registers);
    fill(map->tab_input_registers);
    map->tab_bits[1] = map->tab_bits[9] = 1;
    map->tab_input_bits[0] = map->tab_input_bits[10] = 1;

    int listener = -1, port = 0;
    modbus_set_slave(context, UNIT);
    if (rtu) {
        if (modbus_connect(context) < 0)
            return fprintf(stderr, "%s: %s\n", argv[2], modbus_strerror(errno)), 1;
    } else {
        struct sockaddr_in bound;
        socklen_t size = sizeof bound;
        listener = modbus_tcp_listen(context, 1);
        if (listener < 0 || getsockname(listener, (struct sockaddr *) &bound, &size) < 0)
            return perror("listen"), 1;
        port = ntohs(bound.sin_port);
    }
    printf("ready %d\n", port);
    fflush(stdout);
    run(context, map, listener);
    modbus_mapping_free(map);
    modbus_close(context);
    modbus_free(context);
    return 0;
}
