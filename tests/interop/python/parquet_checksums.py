"""Reads a Parquet file with its checksums, as it is and with a flipped bit in each of its pages.

usage: parquet_checksums.py FILE

Prints the number of rows and the number of columns of row groups in which the bit was noticed.
"""

import sys

import pyarrow as pa
import pyarrow.parquet as pq

path = sys.argv[1]
rows = pq.read_table(path, page_checksum_verification=True).num_rows
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
            pq.read_table(pa.BufferReader(bytes(damaged)), page_checksum_verification=True)
        except OSError as error:
            noticed += "CRC checksum verification failed" in str(error)
print(rows, noticed)
