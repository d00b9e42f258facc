"""Reads a Parquet file with its checksums, as it is and with a flipped bit in each of its pages.

usage: parquet_checksums.py FILE

Prints the number of rows and the number of columns of row groups in which the bit was noticed.
"""

import sys

import pyarrow as pa
import pyarrow.parquet as pq


def read(source):
    # In this thread alone: a thread that still reads when an error was raised aborts Python at its exit.
    return pq.read_table(
        source, page_checksum_verification=True, use_threads=False, pre_buffer=False
    )


path = sys.argv[1]
rows = read(path).num_rows
with open(path, "rb") as file:
    whole = file.read()
metadata = pq.ParquetFile(path).metadata
noticed = 0
for group in range(metadata.num_row_groups):
    for column in range(metadata.num_columns):
        chunk = metadata.row_group(group).column(column)
        damaged = bytearray(whole)
        damaged[chunk.data_page_offset + chunk.total_compressed_size - 1] ^= 4
        try:
            read(pa.BufferReader(bytes(damaged)))
        except OSError as error:
            noticed += "CRC checksum verification failed" in str(error)
print(rows, noticed)
