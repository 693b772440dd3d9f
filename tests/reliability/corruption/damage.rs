//! What can become of a page.

use faulty_vfs::Random;

/// One damage of one page.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Damage {
    /// One byte, at this offset from the start of what is on the page, becomes another.
    Flip { offset: usize, mask: u8 },
    /// Nothing but zeros.
    Zeroed,
    /// Nothing but ones.
    Ones,
    /// The file ends before the page,
    CutBefore,
    /// or in the middle of it.
    CutWithin,
    /// It stands where another does, and that one here.
    SwappedWith(usize),
    /// Another stands here too.
    ReplacedBy(usize),
}

/// Where the parts of a page begin (<https://sqlite.org/fileformat2.html#b_tree_pages>): its kind, the first free block, the
/// number of cells, the start of their content, the fragments; pointers to cells, with the last page's number before them on
/// an interior page.
const PARTS: [usize; 9] = [0, 1, 3, 4, 5, 7, 8, 10, 13];

impl Damage {
    /// Every damage of a page of so many bytes, with a few bytes of its content at random; `other` is another page.
    pub(crate) fn all(random: &mut Random, size: usize, other: usize) -> Vec<Self> {
        let mut damages = vec![Self::Zeroed, Self::Ones, Self::CutBefore, Self::CutWithin];
        damages.extend([Self::SwappedWith(other), Self::ReplacedBy(other)]);
        let mut flip = |offset| {
            let mask = if random.coin() { 1 << random.below(8) } else { 0xFF };
            damages.push(Self::Flip { offset, mask });
        };
        for offset in PARTS {
            flip(offset);
        }
        // Content is written from the end of a page.
        for offset in [size - 2, size - 20, size - 60] {
            flip(offset);
        }
        let mut within = Random::new(size as u64 ^ other as u64);
        for _ in 0..3 {
            flip(usize::try_from(within.below(size as u64)).unwrap());
        }
        damages
    }

    /// Damages a page of a file. `None` where that changes nothing.
    pub(crate) fn of(self, database: &[u8], size: usize, page: usize) -> Option<Vec<u8>> {
        let (start, end) = ((page - 1) * size, page * size);
        let mut damaged = database.to_vec();
        match self {
            Self::Flip { offset, mask } => {
                // The first page begins with the header of the file, which is a matter of its own.
                let header = if page == 1 { 100 } else { 0 };
                damaged[(start + offset + header).min(end - 1)] ^= mask;
            }
            Self::Zeroed => damaged[start..end].fill(0),
            Self::Ones => damaged[start..end].fill(0xFF),
            Self::CutBefore => damaged.truncate(start),
            Self::CutWithin => damaged.truncate(start + size / 2),
            Self::SwappedWith(other) => {
                let there = (other - 1) * size;
                damaged[start..end].copy_from_slice(&database[there..there + size]);
                damaged[there..there + size].copy_from_slice(&database[start..end]);
            }
            Self::ReplacedBy(other) => damaged.copy_within((other - 1) * size..other * size, start),
        }
        (damaged != database).then_some(damaged)
    }
}
