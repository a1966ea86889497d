//! Buffers that direct IO accepts.

/// Address alignment that every block device accepts for direct IO, in bytes.
const ALIGN: usize = 4096;

/// A byte buffer whose first byte lies on a 4096-byte address, as `O_DIRECT` wants it.
///
/// Safe code cannot ask the allocator for an alignment, so the buffer is 4095 bytes larger than it
/// has to be and begins at the first aligned byte.
#[derive(Debug)]
pub struct AlignedBuf {
    memory: Vec<u8>,
    start: usize,
    len: usize,
}

impl AlignedBuf {
    /// A zeroed buffer of `len` bytes.
    pub fn new(len: usize) -> Self {
        let memory = vec![0; len + ALIGN - 1];
        let start = memory.as_ptr().align_offset(ALIGN);
        Self { memory, start, len }
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.memory[self.start..self.start + self.len]
    }

    /// The bytes, to be changed.
    pub fn as_mut_slice(&mut self) -> &mut [u8] {
        &mut self.memory[self.start..self.start + self.len]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_buffer_begins_on_a_4096_byte_address() {
        for len in [1, 511, 4096, 100_000] {
            let mut buf = AlignedBuf::new(len);
            assert_eq!(buf.as_slice().as_ptr().addr() % ALIGN, 0);
            assert_eq!(buf.as_mut_slice().len(), len);
        }
    }
}
