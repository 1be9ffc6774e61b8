use super::pool::ThreadCachedPool;
use super::room::Reservation;
use super::thread_cache::ThreadCache;

/// The memory that an object keeps beyond the size of most, charged to its pool for as long as the object exists.
///
/// A pool with a byte limit bounds its idle objects. An object that is lent brings along the memory that earlier uses have
/// left, though this one may need none of it: without a charge, many such objects would together hold any amount.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Excess(Option<Box<Charged>>);

#[derive(Debug)]
struct Charged {
    reservation: Reservation,
    /// The number of uses in a row that did not need the memory.
    idle_uses: u8,
}

/// The number of uses without need after which the memory is to be freed.
const MAX_IDLE_USES: u8 = 64;

impl Excess {
    /// Decides, at the end of a use, about the `bytes` beyond the usual that the object retains. Charges them to `pool` if they
    /// may stay. Returns `false` if the object is to free them: they are more than `max`, more than the pool has room for, or were
    /// not needed for 64 uses.
    #[cold]
    pub fn settle<T, R, K: ThreadCache<T>>(
        &mut self,
        pool: &ThreadCachedPool<T, R, K>,
        bytes: usize,
        max: usize,
        is_needed: bool,
    ) -> bool {
        let charged = self.0.take();
        let idle_uses = match &charged {
            Some(charged) if !is_needed => charged.idle_uses + 1,
            _ => 0,
        };
        if bytes > max || idle_uses >= MAX_IDLE_USES {
            return false;
        }
        if let Some(mut charged) = charged
            && charged.reservation.units() >= bytes
        {
            charged.idle_uses = idle_uses;
            self.0 = Some(charged);
            return true;
        }
        // The charge that was too small is given back by now.
        let Some(reservation) = pool.reserve(bytes) else {
            return false;
        };
        self.0 = Some(Box::new(Charged {
            reservation,
            idle_uses,
        }));
        true
    }
}
