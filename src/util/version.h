/* version.h - what this program is called and which release it is.
 *
 * Layer: util. CMakeLists.txt names the same version. */
#ifndef UTIL_VERSION_H
#define UTIL_VERSION_H

#define CAIRN_NAME    "Cairn"
#define CAIRN_VERSION "0.1.0"

#endif
