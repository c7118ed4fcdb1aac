# SPDX-License-Identifier: BSD-2-Clause
# cmake -DINPUT=FILE -DOUTPUT=FILE.c -DNAME=NAME -P embed.cmake: the bytes of a file as a C array.
file(READ ${INPUT} bytes HEX)
string(REGEX REPLACE "([0-9a-f][0-9a-f])" "0x\\1," bytes "${bytes}")
string(REGEX REPLACE "(................................................................................)"
  "\\1\n" bytes "${bytes}")
file(WRITE ${OUTPUT} "/* Made from ${INPUT}; do not edit. */
#include \"schema_builtin.h\"

const unsigned char schema_builtin_${NAME}[] = {
${bytes}
};
const unsigned long schema_builtin_${NAME}_size = sizeof(schema_builtin_${NAME});
")
